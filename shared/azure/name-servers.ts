/** Names asked of the configured DNS servers, without any cache of ours: what is true now is the question. */
import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { withDeadline } from "../deadline.ts";
import { wordsOf } from "../foreign-words.ts";
import { type Resolved, WorldError } from "../ports.ts";

export interface NameServers {
  /** The addresses at the end of a name's CNAMEs. Throws a `WorldError` when the servers could not be asked. */
  resolve(name: string, timeoutSeconds: number): Promise<Resolved>;
}

/** `servers`: `address` or `address:port`; empty: those of the system. */
export function openNameServers(servers: readonly string[]): NameServers {
  return {
    async resolve(name, timeoutSeconds) {
      if (isIP(name) !== 0) return { kind: "resolved", chain: [], addresses: [name], ttlSeconds: 0 };
      // A channel of its own for each question: it holds no answers, and can be given up without disturbing others.
      const resolver = new Resolver({ timeout: timeoutSeconds * 1000, tries: 1 });
      if (servers.length > 0) resolver.setServers(servers);
      try {
        return await withDeadline(timeoutSeconds, () => resolved(resolver, name));
      } catch (error) {
        resolver.cancel();
        throw new WorldError("resolve", name, wordsOf(error));
      }
    },
  };
}

async function resolved(resolver: Resolver, name: string): Promise<Resolved> {
  const [chain, fours] = await Promise.all([chainOf(resolver, name), orNone(resolver.resolve4(name, { ttl: true }))]);
  // Asked only where there is nothing else: the ingresses that we look for have IPv4 addresses.
  const found = fours.length > 0 ? fours : await orNone(resolver.resolve6(name, { ttl: true }));
  if (found.length === 0) return { kind: "nothing", why: chain.length === 0 ? "no such name, or no address for it" : `${chain.at(-1)} has no address` };
  // c-ares gives each address the smallest time to live of the whole chain.
  return { kind: "resolved", chain, addresses: found.map(({ address }) => address), ttlSeconds: Math.min(...found.map(({ ttl }) => ttl)) };
}

/** Longer chains are loops. */
const chainLengthMax = 8;

async function chainOf(resolver: Resolver, name: string): Promise<readonly string[]> {
  const chain: string[] = [];
  while (chain.length < chainLengthMax) {
    const [next] = await orNone(resolver.resolveCname(chain.at(-1) ?? name));
    if (next === undefined) break;
    chain.push(next);
  }
  return chain;
}

/** "There is none" is an answer of the servers; all other failures are theirs. */
async function orNone<T>(asked: Promise<T[]>): Promise<T[]> {
  try {
    return await asked;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENODATA" || code === "ENOTFOUND") return [];
    throw error;
  }
}
