import { type Home, WorldError } from "../../../shared/ports.ts";
import type { Asked, Network } from "../network.ts";
import { wholeSeconds } from "../world/home.ts";
import type { SimulatedPair } from "../world/pair.ts";

const bodyBytesMax = 4 * 1024 * 1024;
const listedMax = 5_000;

export function openHome({ home, world }: Pick<SimulatedPair, "home" | "world">, network: Network): Home {
  const asked = (op: string, thing: string, mutating: boolean): Asked => ({ port: "home", op, thing, region: null, mutating, fastMs: 3, slowMs: 12 });
  const fits = (op: string, name: string, body: string): void => {
    if (Buffer.byteLength(body) > bodyBytesMax) throw new WorldError(op, `home ${name}`, "a blob at home has at most 4 MiB");
  };
  return {
    read: (name) => network.ask(asked("read", name, false), () => home.read(name)),
    dated: (name) =>
      network.ask(asked("read", name, false), () => {
        const stored = home.read(name);
        return stored === null ? null : { ...stored, writtenAt: home.writtenAt(name), answeredAt: wholeSeconds(world.clock.now()) };
      }),
    create: (name, body) =>
      network.ask(asked("create", name, true), () => {
        fits("create", name, body);
        return home.create(name, body);
      }),
    replace: (name, body, ifMatch) =>
      network.ask(asked("replace", name, true), () => {
        fits("replace", name, body);
        return home.replace(name, body, ifMatch);
      }),
    put: (name, body) =>
      network.ask(asked("put", name, true), () => {
        fits("put", name, body);
        home.put(name, body);
      }),
    list: (prefix, max = listedMax) =>
      network.ask(asked("list", prefix, false), () => {
        const names = home.list(prefix);
        if (names.length > max) throw new WorldError("list", `home ${prefix}`, `there are more than ${max}`);
        return names;
      }),
  };
}
