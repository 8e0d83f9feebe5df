import { wordsOf } from "../shared/foreign-words.ts";
import type { Terminal } from "./terminal.ts";

/** Where the app is and who asks. */
export interface AppOptions {
  /** Its address, as `https://func-lifeboat.azurewebsites.net`. */
  readonly app: string;
  /** A file with an Entra access token; `-` is standard input. Not the token itself: what stands in a command line, everybody on the machine can read. */
  readonly token: string;
}

export type AppAnswer = { readonly kind: "answered"; readonly value: unknown } | { readonly kind: "not"; readonly why: string };

const waitMs = 10_000;
/** A plan's restore points are a few hundred kilobytes. */
const answerBytesMax = 16 * 1024 * 1024;
const loopback = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** One GET at the app's doors, `path` below `/api/`. What stands in the way is told in a sentence, never the token. */
export async function askApp(path: string, { app, token: file }: AppOptions, terminal: Terminal): Promise<AppAnswer> {
  const not = (why: string): AppAnswer => ({ kind: "not", why });
  const base = URL.canParse(app) ? new URL(app) : null;
  if (base === null) return not(`${app} is no address: give the app's own, as https://func-lifeboat.azurewebsites.net`);
  if (base.protocol !== "https:" && !(base.protocol === "http:" && loopback.test(base.hostname))) return not(`${base.origin} is not asked: a token goes over https alone, or to this machine`);
  const token = tokenIn(file, terminal);
  if (token.kind === "not") return token;
  const url = `${base.origin}${base.pathname.replace(/\/(api\/?)?$/, "")}/api/${path}`;
  try {
    // A token is for this address and for none that it leads to.
    const response = await fetch(url, { headers: { authorization: `Bearer ${token.value}` }, redirect: "error", signal: AbortSignal.timeout(waitMs) });
    const body = jsonIn(await textOf(response));
    if (response.ok) return body === undefined ? not(`${url} answered ${response.status} with something that is no JSON: is it Lifeboat's address?`) : { kind: "answered", value: body };
    const { title = "", detail = "" } = (body ?? {}) as { readonly title?: string; readonly detail?: string };
    return not(`${url} answered ${response.status}${title === "" ? "" : ` ${title}: ${detail}`}`);
  } catch (error) {
    return not(`${url} did not answer: ${wordsOf(error instanceof Error && error.cause instanceof Error ? error.cause : error)}`);
  }
}

function tokenIn(file: string, terminal: Terminal): { readonly kind: "token"; readonly value: string } | { readonly kind: "not"; readonly why: string } {
  try {
    const value = terminal.read(file).trim();
    return /^[\w.~+/=-]+$/.test(value) ? { kind: "token", value } : { kind: "not", why: `${file} holds no access token: az account get-access-token --query accessToken -o tsv gives one` };
  } catch (error) {
    return { kind: "not", why: `${file} cannot be read: ${wordsOf(error)}` };
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new Error(`the answer has more than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
