/** What an API server says when it does not do what was asked: the errors of the store, with the Status body that Kubernetes 1.34 writes. */
import type { ResourceKind } from "./kinds.ts";

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Partial<StatusCause>[];
  readonly retryAfterSeconds?: number;
}

export type StatusReason = "NotFound" | "AlreadyExists" | "Conflict" | "Invalid" | "BadRequest" | "Forbidden" | "Expired" | "UnsupportedMediaType" | "Unauthorized" | "MethodNotAllowed" | "RequestEntityTooLarge" | "Timeout" | "InternalError" | "";

/** Thrown by the store for every answer that is not a success. `message` is the one that a client shows. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly reason: StatusReason;
  readonly details: StatusDetails | undefined;
  constructor(code: number, reason: StatusReason, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The body of the answer. */
  status(): Record<string, unknown> {
    const { code, reason, message, details } = this;
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, ...(reason === "" ? {} : { reason }), ...(details ? { details } : {}), code };
  }
}

const about = (kind: ResourceKind, name: string): StatusDetails => ({ name, ...(kind.group === "" ? {} : { group: kind.group }), kind: kind.plural });

export const notFound = (kind: ResourceKind, name: string) => new ApiError(404, "NotFound", `${kind.resource} "${name}" not found`, about(kind, name));
/** The URL names a kind that this cluster does not know: no such built-in, or its CRD is missing. */
export const noSuchResource = () => new ApiError(404, "NotFound", "the server could not find the requested resource", {});
export const alreadyExists = (kind: ResourceKind, name: string) => new ApiError(409, "AlreadyExists", `${kind.resource} "${name}" already exists`, about(kind, name));
export const conflict = (kind: ResourceKind, name: string) =>
  new ApiError(409, "Conflict", `Operation cannot be fulfilled on ${kind.resource} "${name}": the object has been modified; please apply your changes to the latest version and try again`, about(kind, name));
export const badRequest = (message: string) => new ApiError(400, "BadRequest", message);
export const forbidden = (kind: ResourceKind, name: string, why: string, causes?: readonly StatusCause[]) =>
  new ApiError(403, "Forbidden", `${kind.resource} "${name}" is forbidden: ${why}`, { ...about(kind, name), ...(causes ? { causes } : {}) });
/** A JSON patch that does not fit the object; the API server keeps why to itself. */
export const patchDoesNotFit = () => new ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {});
/** An error that the API server did not foresee: it has no reason. */
export const unforeseen = (message: string) => new ApiError(500, "", message);
/** What was to be deleted is not what the caller thinks it is. */
export const preconditionFailed = (kind: ResourceKind, name: string, why: string) =>
  new ApiError(409, "Conflict", `Operation cannot be fulfilled on ${kind.kind} "${name}": ${why}`, { ...about(kind, name), kind: kind.kind });

export function invalid(kind: ResourceKind, name: string, causes: readonly StatusCause[]): ApiError {
  const subject = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  const said = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const message = `${subject} "${name}" is invalid: ${said.length > 1 ? `[${said.join(", ")}]` : said.join("")}`;
  return new ApiError(422, "Invalid", message, { ...(name === "" ? {} : { name }), ...(kind.group === "" ? {} : { group: kind.group }), kind: kind.kind, causes });
}
