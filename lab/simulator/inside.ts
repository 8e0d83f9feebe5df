/** What is bundled together with the app: `load.ts` gives it out. */
export { drawScenario } from "./draw.ts";
export { shrink } from "./shrink.ts";
export { playOut } from "./simulate.ts";
