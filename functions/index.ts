/** What the Functions host loads, all of it. The one place that reads the environment. */
import { azureWorld } from "../shared/azure/world.ts";
import { readConfig } from "../shared/config.ts";
import { openFileSeal } from "../shared/seal-file.ts";
import { registerApp } from "./app.ts";

const config = readConfig(process.env);
const world = azureWorld({
  identity: { kind: "managed", clientId: config.identityClientId },
  homeUrl: config.home.url,
  homeContainer: config.home.container,
  hosts: config.endpointHosts,
  dnsServers: config.dnsServers,
  ...(config.manifestKeyVaultKey === undefined ? {} : { manifestKey: config.manifestKeyVaultKey }),
});
registerApp(config, config.manifestKeyFile === undefined ? world : { ...world, seal: openFileSeal(config.manifestKeyFile) });
