import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { HostBindings } from "./bindings.ts";
import type { Mount } from "./contract.ts";
import type { HostedApp, RegisteredFunction } from "./core-api.ts";
import { readBody } from "./http-body.ts";
import { requestData, traceContextOf, writeAnswer } from "./http-data.ts";
import { defaultMethods, match, route, type Route } from "./http-routes.ts";
import { streamThrough } from "./http-stream.ts";
import { isAllowed, type AuthLevel, type HostKeys } from "./keys.ts";
import type { HostLog } from "./log.ts";

interface HttpTarget {
  readonly name: string;
  readonly level: AuthLevel;
  readonly registered: RegisteredFunction;
}

/** Serves the app's HTTP functions under the route prefix. */
export function httpFunctions(options: {
  readonly app: HostedApp;
  readonly bindings: HostBindings;
  readonly keys: HostKeys;
  /** `extensions.http.routePrefix` of host.json; may be empty. */
  readonly routePrefix: string;
  readonly log: HostLog;
}): Mount {
  const { app, bindings, keys, log } = options;
  const routes = [...app.functions.values()].filter(({ trigger }) => /^httpTrigger$/i.test(trigger.type)).map((registered) => httpRoute(registered, options.routePrefix));

  return async (request, response, url) => {
    const matched = match(routes, request.method ?? "GET", url.pathname);
    if (!matched) return false;
    const { target, params } = matched;
    if (!isAllowed(target.level, keys, request, url)) {
      response.writeHead(401).end();
      return true;
    }
    const others = bindings.inputsFor(target.registered);
    const traceContext = traceContextOf(request);
    if (app.httpUri) {
      const invocation = { others, traceContext, invocationId: randomUUID() };
      await streamThrough({ httpUri: app.httpUri, request, response, url, params, invocation, invoke: (asked) => app.invoke(target.name, asked) });
      return true;
    }
    const body = await readBody(request);
    if (!body && isChunked(request)) {
      log({ level: "warning", category: "system", functionName: target.name, message: "a chunked body was dropped, as the real host does: send a Content-Length" });
    }
    const { returnValue } = await app.invoke(target.name, { data: requestData(request, url, params, body), others, traceContext });
    writeAnswer(response, returnValue);
    return true;
  };
}

function httpRoute(registered: RegisteredFunction, prefix: string): Route<HttpTarget> {
  const { binding } = registered.trigger;
  const methods = Array.isArray(binding.methods) && binding.methods.length > 0 ? binding.methods.map(String) : defaultMethods;
  const template = typeof binding.route === "string" ? binding.route : registered.name;
  return route(`${prefix}/${template}`, methods, { name: registered.name, level: authLevel(registered), registered });
}

/** The library writes `anonymous` when the app says nothing; the host itself would take `function`. */
function authLevel({ name, trigger }: RegisteredFunction): AuthLevel {
  const level = typeof trigger.binding.authLevel === "string" ? trigger.binding.authLevel.toLowerCase() : "function";
  if (level === "anonymous" || level === "function" || level === "admin") return level;
  throw new Error(`function "${name}" has the authLevel "${level}": there are anonymous, function and admin`);
}

function isChunked(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] !== undefined;
}
