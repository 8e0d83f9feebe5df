/** What a provider behind management.azure.com is made of: routes, each with its name for faults, its region and its work. */
import type { z } from "zod";
import type { Operation } from "../../world/operations.ts";
import type { RegionName } from "../../world/pair.ts";
import type { Refusal } from "../../world/refusal.ts";
import { type Answer, json } from "../answer.ts";

export interface ArmRoute {
  readonly method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE";
  /** Lower-cased, `{name}` for a segment: `/subscriptions/{subscription}/resourcegroups/{group}/providers/…`. */
  readonly path: string;
  /** As faults and the audit name it: `PUT agentPools`. */
  readonly call: string;
  readonly mutating: boolean;
  /** Which region's control plane serves it. */
  region(names: Names): RegionName | null;
  work(request: ArmRequest): Answer;
}

/** What stood at each `{name}` of the path, lower-cased: names in ARM do not tell cases apart. */
export type Names = Readonly<Record<string, string>>;

export interface ArmRequest {
  readonly names: Names;
  /** The path as it came. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | null;
  readonly body: unknown;
  /** `https://` and the host that the client meant, for links. */
  readonly base: string;
  readonly apiVersion: string;
  readonly blind: boolean;
}

export const inGroup = "/subscriptions/{subscription}/resourcegroups/{group}/providers";

/** The resource id that the first part of a path names, for comparison. */
export const idOf = ({ subscription, group }: Names, type: string, name: string | undefined) => `/subscriptions/${subscription}/resourcegroups/${group}/providers/${type}/${name}`.toLowerCase();

export const failure = (status: number, code: string, message: string, headers?: Readonly<Record<string, string>>): Answer => json(status, { error: { code, message } }, headers);
export const refusal = ({ status, code, message }: Refusal): Answer => failure(status, code, message);
export const notFound = (path: string): Answer => failure(404, "ResourceNotFound", `The resource '${path}' was not found.`);

/** Answers with the work's result when the body is as the schema says, else with 400. */
export function withBody<T>(schema: z.ZodType<T>, body: unknown, work: (body: T) => Answer): Answer {
  const read = schema.safeParse(body);
  if (read.success) return work(read.data);
  return failure(400, "InvalidRequestContent", read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
}

/** An operation as its status address shows it. */
export const operationStatus = ({ id, status, startedAt, endedAt, error }: Operation): Answer =>
  json(200, {
    name: id,
    status,
    startTime: new Date(startedAt).toISOString(),
    ...(endedAt === null ? {} : { endTime: new Date(endedAt).toISOString() }),
    ...(error === null ? {} : { error }),
  });
