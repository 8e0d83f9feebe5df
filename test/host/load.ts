/** Loads the app of a directory, calls its `hello`, and says what came back: one line of the loading matrix, in a process of its own. */
import { loadApp } from "../../lab/host/core-api.ts";
import { fromTypedData } from "../../lab/host/typed-data.ts";

const app = await loadApp({ appDirectory: process.argv[2] ?? "", log: () => {} });
const { returnValue } = await app.invoke("hello", { data: { http: { method: "GET", url: "http://lab/api/hello?name=Ada", body: null } } });
process.stdout.write(JSON.stringify({ functions: [...app.functions.keys()], answer: String(fromTypedData(returnValue?.http?.body)) }));
// A library that streams, or that was loaded into test mode, would keep the process.
process.exit(0);
