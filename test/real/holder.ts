/** A process that holds a real cluster until it is ended from outside: `holder.ts DIRECTORY AZURITE`. Says its URL once Velero runs. */
import process from "node:process";
import { accountKey } from "../../lab/azurite.ts";
import { startRealCluster } from "../../lab/real/cluster.ts";
import { realPrograms } from "../../lab/real/programs.ts";

const [directory = "", azurite = ""] = process.argv.slice(2);
const programs = await realPrograms({ tell: () => undefined });
const cluster = await startRealCluster({ programs, directory, region: "westeurope", nodes: ["aks-user-20261121-vmss000000"] });
const location = { name: "default", account: "stlabone", url: `${azurite}/stlabone`, container: "velero", accessMode: "ReadWrite" } as const;
await cluster.installVelero({ locations: [location], accountKeys: { stlabone: accountKey("stlabone") } });
process.stdout.write(`${cluster.url}\n`);
