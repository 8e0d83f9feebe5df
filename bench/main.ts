/** `npm run bench -- NAME [--option value]`: measures one thing and ends with one line of JSON that holds its figures; `--write yes` adds them to docs/bench-records.json. */
import { commit } from "../lab/commit.ts";
import { addRecord } from "../lab/records.ts";
import { fuzz } from "./fuzz.ts";
import { intake } from "./intake.ts";
import { killTest } from "./kill.ts";
import { mutation } from "./mutation.ts";
import { ownOverhead } from "./own-overhead.ts";
import { labWall } from "./lab-wall.ts";
import { plantedBugsFound } from "./planted-bugs.ts";
import { replicaCheck } from "./replica-check.ts";
import { realFailover } from "./real-failover.ts";
import { rtoMoves } from "./rto-moves.ts";
import { stepOut } from "./step-out.ts";
import { tarballRead } from "./tarball-read.ts";

const benches: Readonly<Record<string, { readonly about: string; readonly run: (options: ReadonlyMap<string, string>) => Promise<Readonly<Record<string, unknown>>> }>> = {
  "own-overhead": { about: "a whole failover in a world that answers at once; the largest history", run: ownOverhead },
  "lab-wall": { about: "`npm run lab` from start to exit, wall time", run: labWall },
  "rto-moves": { about: "5 s more in the restore move the observer's RTO by 5 s (--pairs 5 --seconds 5)", run: rtoMoves },
  "real-failover": { about: "on real Kubernetes and Velero: against a failover by hand; many runs with Velero killed; beside the double (--times 1 --runs 0 --kill-every 2 --topology both --only shop --double no --thousand no)", run: realFailover },
  "step-out": { about: "takes each step of a failover out of the app: a lab run must notice (--steps confirm-loss,…)", run: stepOut },
  "replica-check": { about: "two containers held against each other: a bare listing and rclone beside it; memory up to a million blobs", run: replicaCheck },
  "tarball-read": { about: "an archive read to its end, 10 MB to 2 GB: speed of one core, memory (--mb 10,2048)", run: tarballRead },
  intake: { about: "a storm of alerts at the door: all accounted for, one run (--rate 1000 --seconds 300 --kills 0)", run: intake },
  "planted-bugs": { about: "puts one mistake at a time into the app: the simulator must find it (--runs 1000 --seed 1 --bugs primary-not-closed,…)", run: plantedBugsFound },
  fuzz: { about: "garbage for what reads alerts, approvals, ledgers and plans (--what alerts,plans --cases 10000000 --seed 1 --processes 2 --seconds 600)", run: fuzz },
  mutation: { about: "one small change of the domain's rules at a time: their tests must find it, all of it where users are moved", run: mutation },
  kill: { about: "SIGKILLs of the host at random moments: every run ends right, no effect twice (--kills 100 --seed 1)", run: killTest },
};

const [name = "", ...rest] = process.argv.slice(2);
const bench = benches[name];
if (!bench) {
  process.stderr.write(`${name === "" ? "say which bench to run" : `there is no bench ${name}`}:\n${Object.entries(benches).map(([known, { about }]) => `  npm run bench -- ${known.padEnd(13)} ${about}`).join("\n")}\n`);
  process.exit(2);
}
const options = new Map<string, string>();
for (let at = 0; at < rest.length; at += 2) options.set((rest[at] ?? "").replace(/^--/, ""), rest[at + 1] ?? "");
const figures: Readonly<Record<string, unknown>> = { commit: commit(), ...(await bench.run(options)) };
process.stdout.write(`${JSON.stringify({ bench: name, ...figures })}\n`);
if (options.get("write") === "yes") addRecord("bench-records.json", name, { command: `npm run bench -- ${process.argv.slice(2).join(" ")}`, ...figures });
process.exit(figures["ok"] === false ? 1 : 0);
