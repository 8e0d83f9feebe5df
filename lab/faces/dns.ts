/**
 * The lab's name servers, over UDP and TCP on one port: example.com from the zone, trafficmanager.net from the profile. TTLs are those
 * of the zone and the profile, in lab seconds: whoever caches by a fast clock divides them by its rate.
 */
import dgram from "node:dgram";
import net from "node:net";
import type { LabWorld } from "../world/world.ts";
import { answerTo, type Names } from "./dns-answers.ts";
import { CannotListen, type Place } from "./listen.ts";

export interface DnsFace {
  readonly address: string;
  readonly port: number;
  /** `127.0.0.1:5353`, as `Resolver.setServers` takes it. */
  readonly server: string;
  close(): Promise<void>;
}

/** A free port is one that is free for both. */
export async function openDns(world: LabWorld, names: Names, place: Omit<Place, "tls"> = {}): Promise<DnsFace> {
  const { address = "127.0.0.1", port = 0, chooseWith } = place;
  const answer = (message: Buffer) => answerTo(world, names, message);
  for (let attempt = 1; ; attempt += 1) {
    const tcp = tcpServer(answer);
    const taken = await bound(tcp, address, port, chooseWith);
    const udp = dgram.createSocket("udp4");
    udp.on("message", (message, from) => void answer(message).then((packet) => packet && udp.send(packet, from.port, from.address, () => {})));
    try {
      await boundUdp(udp, address, taken, chooseWith);
    } catch (error) {
      await closed(tcp);
      if (port !== 0 || attempt === 5) throw error;
      continue;
    }
    let ended: Promise<unknown> | null = null;
    return {
      address,
      port: taken,
      server: `${address}:${taken}`,
      async close() {
        await (ended ??= Promise.all([closed(tcp), new Promise<void>((resolve) => udp.close(resolve))]));
      },
    };
  }
}

/** DNS over TCP: each message behind its length in two bytes (RFC 1035, 4.2.2). */
function tcpServer(answer: (message: Buffer) => Promise<Buffer | null>): net.Server & { readonly sockets: Set<net.Socket> } {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let held = Buffer.alloc(0);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const message = held.subarray(2, 2 + held.readUInt16BE(0));
        held = held.subarray(2 + message.length);
        void answer(message).then((packet) => {
          if (!packet || socket.destroyed) return;
          const length = Buffer.alloc(2);
          length.writeUInt16BE(packet.length);
          socket.write(Buffer.concat([length, packet]));
        });
      }
    });
  });
  return Object.assign(server, { sockets });
}

async function bound(server: net.Server, address: string, port: number, chooseWith?: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(new CannotListen(address, port, error, chooseWith)));
    server.listen(port, address, resolve);
  });
  return (server.address() as net.AddressInfo).port;
}

async function boundUdp(socket: dgram.Socket, address: string, port: number, chooseWith?: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error: NodeJS.ErrnoException) => reject(new CannotListen(address, port, error, chooseWith)));
    socket.bind(port, address, resolve);
  });
}

function closed(server: ReturnType<typeof tcpServer>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of server.sockets) socket.destroy();
  });
}
