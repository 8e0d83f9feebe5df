/** Starts a host and says its process id: a parent for the test that kills one. */
import { startClock } from "../../lab/clock.ts";
import { startHostProcess } from "../../lab/host/process.ts";

const [appDirectory = "", stateDirectory = ""] = process.argv.slice(2);
const host = await startHostProcess({ appDirectory, stateDirectory, clock: startClock().toString() });
process.stdout.write(`${host.pid}\n`);
