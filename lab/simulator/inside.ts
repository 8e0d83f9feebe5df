/** What is bundled together with the app: `load.ts` gives it out. */
export { playOut } from "./simulate.ts";
