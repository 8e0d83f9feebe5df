/** The Kubernetes API as the lab's own hand uses it: one token, one server, no library. */

/** An object as the API gives it. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string; readonly resourceVersion?: string; readonly labels?: Readonly<Record<string, string>>; readonly deletionTimestamp?: string };
  readonly [field: string]: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Api {
  /** Any answer, errors too; rejects only when there is none. PATCH is a merge patch. */
  request(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<ApiAnswer>;
  /** `null`: not found. Throws on any other refusal. */
  get(path: string): Promise<ApiObject | null>;
  /** All of a collection, `/api/v1/pods`. Throws on a refusal. */
  list(path: string): Promise<readonly ApiObject[]>;
  /** Server-side apply, taking fields over from others. Throws on a refusal. */
  apply(object: ApiObject): Promise<ApiObject>;
}
