/** The address of a key in a key vault, `https://VAULT.vault.azure.net/keys/NAME`, or of one of its versions, with `/VERSION` behind it. Groups: name, version. */
export const keyVaultKey = /^https:\/\/[a-z0-9.-]+\/keys\/([A-Za-z0-9-]{1,127})(?:\/([0-9a-f]{32}))?$/;
