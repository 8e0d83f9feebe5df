// An object store plugin for Velero under the name of Microsoft's, velero.io/azure, for storage that is reached with an account's key.
// Microsoft's is not a library. This one reads the same settings of a BackupStorageLocation (storageAccount, storageAccountURI,
// storageAccountKeyEnvVar) and, like it, uploads in blocks, which leaves blobs without a Content-MD5.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/sirupsen/logrus"
	"github.com/vmware-tanzu/velero/pkg/plugin/framework"
)

// The default of Microsoft's plugin, 1 MiB, its setting blockSizeInBytes.
const blockBytes = 1 << 20

type objectStore struct{ service *azblob.Client }

func main() {
	framework.NewServer().RegisterObjectStore("velero.io/azure", newObjectStore).Serve()
}

func newObjectStore(logrus.FieldLogger) (any, error) { return &objectStore{}, nil }

func (s *objectStore) Init(config map[string]string) error {
	account := config["storageAccount"]
	key, err := accountKey(config)
	if err != nil {
		return fmt.Errorf("storage account %s: %w", account, err)
	}
	credential, err := azblob.NewSharedKeyCredential(account, key)
	if err != nil {
		return fmt.Errorf("the key of storage account %s: %w", account, err)
	}
	endpoint := config["storageAccountURI"]
	if endpoint == "" {
		endpoint = "https://" + account + ".blob.core.windows.net"
	}
	s.service, err = azblob.NewClientWithSharedKeyCredential(endpoint, credential, nil)
	return err
}

// accountKey looks for the variable that the location names in the environment, then in the file of credentials, a line NAME=VALUE each.
func accountKey(config map[string]string) (string, error) {
	name := config["storageAccountKeyEnvVar"]
	if value := os.Getenv(name); value != "" {
		return value, nil
	}
	path := config["credentialsFile"]
	if path == "" {
		path = os.Getenv("AZURE_CREDENTIALS_FILE")
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if found, value, ok := strings.Cut(lines.Text(), "="); ok && strings.TrimSpace(found) == name {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("%s has no line for %q", path, name)
}

func (s *objectStore) container(name string) *container.Client {
	return s.service.ServiceClient().NewContainerClient(name)
}

func (s *objectStore) blob(bucket, key string) *blob.Client {
	return s.container(bucket).NewBlobClient(key)
}

// PutObject commits a list of blocks even where there is one: a library's upload of a stream would put small ones whole, with a Content-MD5.
func (s *objectStore) PutObject(bucket, key string, body io.Reader) error {
	blob := s.container(bucket).NewBlockBlobClient(key)
	var ids []string
	for block := make([]byte, blockBytes); ; {
		n, err := io.ReadFull(body, block)
		if n > 0 {
			id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08d", len(ids)))
			if _, err := blob.StageBlock(context.Background(), id, streaming.NopCloser(bytes.NewReader(block[:n])), nil); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	_, err := blob.CommitBlockList(context.Background(), ids, nil)
	return err
}

func (s *objectStore) ObjectExists(bucket, key string) (bool, error) {
	_, err := s.blob(bucket, key).GetProperties(context.Background(), nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound, bloberror.ContainerNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (s *objectStore) GetObject(bucket, key string) (io.ReadCloser, error) {
	answer, err := s.service.DownloadStream(context.Background(), bucket, key, nil)
	return answer.Body, err
}

func (s *objectStore) ListCommonPrefixes(bucket, prefix, delimiter string) ([]string, error) {
	var found []string
	pages := s.container(bucket).NewListBlobsHierarchyPager(delimiter, &container.ListBlobsHierarchyOptions{Prefix: &prefix})
	for pages.More() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return nil, err
		}
		for _, common := range page.Segment.BlobPrefixes {
			found = append(found, *common.Name)
		}
	}
	return found, nil
}

func (s *objectStore) ListObjects(bucket, prefix string) ([]string, error) {
	var found []string
	pages := s.service.NewListBlobsFlatPager(bucket, &azblob.ListBlobsFlatOptions{Prefix: &prefix})
	for pages.More() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return nil, err
		}
		for _, item := range page.Segment.BlobItems {
			found = append(found, *item.Name)
		}
	}
	return found, nil
}

func (s *objectStore) DeleteObject(bucket, key string) error {
	_, err := s.service.DeleteBlob(context.Background(), bucket, key, nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound) {
		return nil
	}
	return err
}

func (s *objectStore) CreateSignedURL(bucket, key string, lifetime time.Duration) (string, error) {
	return s.blob(bucket, key).GetSASURL(sas.BlobPermissions{Read: true}, time.Now().Add(lifetime), nil)
}
