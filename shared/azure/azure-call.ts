/** The one way a call to Azure is made: with a deadline, and with whatever goes wrong told in our own words. */
import { isRestError, type RestError } from "@azure/core-rest-pipeline";
import { withDeadline } from "../deadline.ts";
import { plain, retryAfterSeconds, wordsOf } from "../foreign-words.ts";
import { WorldError } from "../ports.ts";

/** How long a call may take before it is given up. */
export const deadlines = {
  /** To a control plane (ARM, an API server): it answers in parts of a second or not at all. */
  controlSeconds: 10,
  /** For a blob, a page of a list, a chunk of a stream: megabytes. */
  dataSeconds: 30,
} as const;

/**
 * Runs one call and wraps every foreign error in a `WorldError`: operation, thing, status, code, the service's request id, Retry-After.
 * Nothing of the foreign error itself is kept, because it holds the request with its token.
 */
export async function azureCall<T>(operation: string, thing: string, seconds: number, work: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await withDeadline(seconds, work);
  } catch (error) {
    throw wrapped(operation, thing, error);
  }
}

/** What Azure answered, when it was an answer: `null` for a connection that failed, a deadline, or an error of another kind. */
export function answerOf(error: unknown): { readonly status: number; readonly code: string; readonly message: string } | null {
  if (!isRestError(error) || error.statusCode === undefined) return null;
  return { status: error.statusCode, code: codeOf(error), message: plain(error.message) };
}

function wrapped(operation: string, thing: string, error: unknown): WorldError {
  if (error instanceof WorldError) return error;
  const answer = answerOf(error);
  if (answer === null) return new WorldError(operation, thing, wordsOf(error));
  const headers = (error as RestError).response?.headers;
  const requestId = headers?.get("x-ms-request-id");
  const retryAfter = retryAfterSeconds((name) => headers?.get(name));
  return new WorldError(
    operation,
    thing,
    `status ${answer.status} ${answer.code}: ${answer.message}${requestId === undefined ? "" : ` (request ${requestId})`}`,
    retryAfter === null ? {} : { retryAfterSeconds: retryAfter },
  );
}

// Blob answers to HEAD have no body: the code is in a header then, which the client puts into `details`.
function codeOf(error: RestError): string {
  const details = error.details as { readonly errorCode?: unknown } | undefined;
  if (error.code !== undefined) return error.code;
  return typeof details?.errorCode === "string" ? details.errorCode : "without a code";
}
