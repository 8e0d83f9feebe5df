/** What an API server's answer means, beside its status code: the `Status` object that it sends with every refusal. */
import { plain } from "../foreign-words.ts";
import type { ApiAnswer } from "./api-call.ts";

export interface Status {
  readonly ok: boolean;
  /** 404 from the API server itself: the object is not there, or its kind is not (no CRD, or an older API). */
  readonly absent: boolean;
  /** `AlreadyExists`, `Forbidden` … */
  readonly reason: string;
  readonly message: string;
  readonly parsed: unknown;
}

export function statusIn({ status, body }: ApiAnswer): Status {
  const parsed = parsedOrNull(body);
  const said = typeof parsed === "object" && parsed !== null ? (parsed as { readonly kind?: unknown; readonly reason?: unknown; readonly message?: unknown }) : {};
  const isStatus = said.kind === "Status";
  return {
    ok: status >= 200 && status < 300,
    // A group that is not served is answered in plain text. Any other 404 comes from something in between, and says nothing about objects.
    absent: status === 404 && (isStatus || body.startsWith("404 page not found")),
    reason: typeof said.reason === "string" && said.reason !== "" ? said.reason : "without a reason",
    message: plain(typeof said.message === "string" ? said.message : body),
    parsed,
  };
}

function parsedOrNull(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
