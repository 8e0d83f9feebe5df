/**
 * `tarball-read`: reading a backup's archive to its end, from 10 MB to 2 GB of tar. The speed is per second of processor time, all threads
 * together: what one core does, however busy the machine is. Memory is the most that a process of its own had resident for each size.
 */
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readTarball } from "../functions/activities/restore-points/read-tarball.ts";
import { veleroArchive } from "./velero-archive.ts";

const speedMin = 200;
const growthMaxMB = 50;
const sizesMB = [10, 2_048];

interface Measured {
  readonly tarMB: number;
  readonly packedMB: number;
  readonly objects: number;
  readonly mbPerCoreSecond: number;
  readonly mbPerSecond: number;
  readonly residentMB: number;
}

export async function tarballRead(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const one = options.get("file");
  if (one !== undefined) return { ...(await readOne(one, Number(options.get("bytes")))) };
  const sizes = options.get("mb")?.split(",").map(Number) ?? sizesMB;
  const measured: Measured[] = [];
  for (const size of sizes) {
    const each = await inItsOwnProcess(size);
    process.stderr.write(`${JSON.stringify(each)}\n`);
    measured.push(each);
  }
  const [first, last] = [measured[0], measured.at(-1)];
  if (!first || !last) throw new Error("give at least one size: --mb 10,2048");
  const growthMB = last.residentMB - first.residentMB;
  return {
    ok: last.mbPerCoreSecond >= speedMin && growthMB < growthMaxMB,
    mbPerCoreSecond: last.mbPerCoreSecond,
    speedMin,
    growthMB,
    growthMaxMB,
    measured,
    grows: "with the number of objects, 16 to 32 bytes each: 64 bits of every key are kept, to hold the resource list against; bodies and pieces of the stream are let go one by one",
  };
}

/** The archive is made before, so that neither its making nor its memory is measured. */
async function inItsOwnProcess(megabytes: number): Promise<Measured> {
  const folder = await mkdtemp(path.join(tmpdir(), "lifeboat-archive-"));
  try {
    const file = path.join(folder, "archive.tar.gz");
    const { chunks, plain } = await veleroArchive(megabytes * 1e6);
    await writeFile(file, chunks);
    return await asked(["tarball-read", "--file", file, "--bytes", String(plain.bytes)]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readOne(file: string, bytes: number): Promise<Measured> {
  const warm = await veleroArchive(5e6);
  await readTarball(warm.chunks, []);
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const chunks = createReadStream(file, { highWaterMark: 256 * 1024 });
  const found = await readTarball(chunks as AsyncIterable<Buffer>, []);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
  if (found.kind !== "read") throw new Error(`the archive was not read: ${found.kind === "broken" ? found.why : found.kind}`);
  const tarMB = bytes / 1e6;
  return {
    tarMB: Math.round(tarMB),
    packedMB: Math.round(chunks.bytesRead / 1e5) / 10,
    objects: found.contents.objects,
    mbPerCoreSecond: Math.round((tarMB / (user + system)) * 1e6),
    mbPerSecond: Math.round(tarMB / seconds),
    residentMB: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

/** This bench's own answer, from a process of its own: its last line. */
function asked<T>(args: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", path.join(import.meta.dirname, "main.ts"), ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve(JSON.parse(said.trim().split("\n").at(-1) ?? "") as T) : reject(new Error(`it ended with exit code ${code}`))));
  });
}
