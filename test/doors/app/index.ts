/** The whole app on the world that the test file of this process opened (see `../stage.ts`). */
import { registerApp } from "../../../functions/app.ts";
import type { Config } from "../../../shared/config.ts";
import type { World } from "../../../shared/ports.ts";

const { config, world } = (globalThis as unknown as { doors: { config: Config; world: World } }).doors;
registerApp(config, world);
