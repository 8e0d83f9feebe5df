/** What other services say, made fit for our messages: short, in one line, without what might be a secret. */

const lengthMax = 300;

/** An error's own words. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return "an error without words";
  const { code } = error as Error & { readonly code?: unknown };
  const words = plain(error.message);
  return typeof code === "string" && !words.includes(code) ? `${code}: ${words}` : words;
}

/** The first line (storage puts request ids and times on further ones), tokens, keys and signatures blotted out. */
export function plain(message: string): string {
  const line = message.trim().split("\n", 1)[0] ?? "";
  const safe = line
    .replace(/\b(Bearer|SharedKey)\s+[^\s"']+/gi, "$1 …")
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "…")
    .replace(/([?&](?:sig|t|c|s|h|code)=)[^&\s"']+/g, "$1…")
    .replace(/\b((?:Account|Shared)Key=)[^;\s"']+/gi, "$1…");
  return safe.length > lengthMax ? `${safe.slice(0, lengthMax)}…` : safe;
}

/**
 * How long a service asks us to wait, from the three headers that Azure uses; `null`: it does not say. `Retry-After` may also be an HTTP
 * date (RFC 9110, 10.2.3).
 */
export function retryAfterSeconds(header: (name: string) => string | undefined): number | null {
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) {
    const ms = Number(header(name) ?? Number.NaN);
    if (ms > 0) return ms / 1000;
  }
  const text = header("retry-after") ?? "";
  if (text === "") return null;
  const seconds = Number(text);
  const wait = Number.isNaN(seconds) ? (Date.parse(text) - Date.now()) / 1000 : seconds;
  return wait > 0 ? wait : null;
}
