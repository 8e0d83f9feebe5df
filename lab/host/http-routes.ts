/**
 * ASP.NET route templates, the part that function apps use: literals, `{p}`, `{p?}`, `{p:int}`, `{p:guid}`, `{p:alpha}`, `{*rest}`. Each
 * segment is one literal or one parameter.
 */
export interface Route<T> {
  readonly segments: readonly Segment[];
  /** Upper case. */
  readonly methods: readonly string[];
  readonly target: T;
}

type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "parameter"; readonly name: string; readonly constraint: keyof typeof constraints | null; readonly optional: boolean }
  | { readonly kind: "rest"; readonly name: string };

const constraints = {
  int: /^-?\d{1,10}$/,
  guid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  alpha: /^[a-z]*$/i,
};

/** The default methods of an HTTP trigger, when it names none. */
export const defaultMethods: readonly string[] = ["GET", "POST"];

/** Reads one template; says what it cannot do, rather than to match wrongly. */
export function route<T>(template: string, methods: readonly string[], target: T): Route<T> {
  const segments = split(template).map((text) => segment(text, template));
  return { segments, methods: methods.map((method) => method.toUpperCase()), target };
}

/**
 * The best match among all routes: at each segment a literal is better than a constrained parameter, that better than a free one, that
 * better than the rest. A route with another method does not match, as on Azure: the answer there is 404, never 405, and GET implies no HEAD.
 */
export function match<T>(routes: readonly Route<T>[], method: string, path: string): { readonly target: T; readonly params: Record<string, string> } | null {
  const parts = split(path);
  let best: { readonly route: Route<T>; readonly params: Record<string, string> } | null = null;
  for (const candidate of routes) {
    if (!candidate.methods.includes(method)) continue;
    const params = bind(candidate.segments, parts);
    if (params && (!best || rank(candidate.segments) < rank(best.route.segments))) best = { route: candidate, params };
  }
  return best && { target: best.route.target, params: best.params };
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function segment(text: string, template: string): Segment {
  if (!/[{}]/.test(text)) return { kind: "literal", text };
  const parameter = /^\{(\*{0,2})([A-Za-z_][\w-]*)(?::([a-z]+))?(\?)?\}$/.exec(text);
  const [, stars, name = "", constraint, optional] = parameter ?? [];
  if (stars) return { kind: "rest", name };
  if (!parameter || (constraint && !isConstraint(constraint))) {
    throw new Error(`route "${template}": "${text}" is beyond the embedded host, which knows {p}, {p?}, {p:int}, {p:guid}, {p:alpha} and {*rest}`);
  }
  return { kind: "parameter", name, constraint: constraint && isConstraint(constraint) ? constraint : null, optional: optional === "?" };
}

function isConstraint(name: string): name is keyof typeof constraints {
  return Object.hasOwn(constraints, name);
}

/** The values of the parameters when the path fits, decoded; an optional one that is missing has none. */
function bind(segments: readonly Segment[], parts: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = {};
  let used = 0;
  for (const part of segments) {
    if (part.kind === "rest") {
      if (used < parts.length) params[part.name] = parts.slice(used).map(decoded).join("/");
      return params;
    }
    const text = parts[used];
    used += 1;
    if (text === undefined) {
      if (part.kind === "parameter" && part.optional) continue;
      return null;
    }
    if (part.kind === "literal") {
      if (decoded(text).toLowerCase() !== part.text.toLowerCase()) return null;
    } else {
      if (part.constraint && !constraints[part.constraint].test(decoded(text))) return null;
      params[part.name] = decoded(text);
    }
  }
  return used >= parts.length ? params : null;
}

/** A sort key: smaller is more literal. */
function rank(segments: readonly Segment[]): string {
  return segments.map((part) => (part.kind === "literal" ? "1" : part.kind === "rest" ? "4" : part.constraint ? "2" : "3")).join("");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
