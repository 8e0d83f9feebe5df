/** The identity endpoint of an app in App Service, and what checks people's tokens: openid-configuration and keys. */
import { type Audience, audiences, type Caller, clientIds, type Identity, people } from "../world/identity.ts";
import type { LabWorld } from "../world/world.ts";
import { type Answer, json } from "./answer.ts";
import { handle } from "./handle.ts";
import { listen, type Listener, type Place } from "./listen.ts";

export interface IdentityFace extends Listener {
  /** The value of IDENTITY_ENDPOINT. */
  readonly tokenUrl: string;
  /** The public keys of people's tokens. */
  readonly keysUrl: string;
  readonly openidConfigurationUrl: string;
}

/** `secret` is the value of IDENTITY_HEADER: without it nobody gets a token. */
export async function openIdentityFace(world: LabWorld, identity: Identity, secret: string, place: Place = {}): Promise<IdentityFace> {
  const listener = await listen(place, (request, response) => {
    const url = new URL(request.url ?? "/", "http://identity");
    const answer = (call: string, work: () => Promise<Answer> | Answer) => void handle(world, { call, region: null, mutating: false }, request, response, work);
    switch (url.pathname) {
      case paths.token:
        return answer("GET identity/token", () => token(identity, url.searchParams, request.headers["x-identity-header"] === secret));
      case paths.keys:
        return answer("GET identity/keys", async () => json(200, await identity.peopleKeys()));
      case paths.openid:
        return answer("GET identity/openid-configuration", () =>
          json(200, { issuer: people.issuer, jwks_uri: `http://${request.headers.host}${paths.keys}`, id_token_signing_alg_values_supported: ["RS256"], subject_types_supported: ["pairwise"], response_types_supported: ["id_token"] }),
        );
      default:
        return answer("GET identity", () => json(404, { error: { code: "NotFound", message: `the identity endpoint has nothing at ${url.pathname}` } }));
    }
  });
  return { ...listener, tokenUrl: `${listener.url}${paths.token}`, keysUrl: `${listener.url}${paths.keys}`, openidConfigurationUrl: `${listener.url}${paths.openid}` };
}

const paths = { token: "/msi/token", keys: "/people/keys", openid: "/people/.well-known/openid-configuration" } as const;

/** The protocol of App Service, api-version 2019-08-01. */
async function token(identity: Identity, query: URLSearchParams, known: boolean): Promise<Answer> {
  const no = (status: number, message: string) => json(status, { statusCode: status, message });
  if (!known) return no(401, "the header X-IDENTITY-HEADER is missing or not the value of IDENTITY_HEADER");
  if (!query.get("api-version")) return no(400, "api-version is missing");
  const resource = query.get("resource") ?? "";
  const audience = audienceOf(resource);
  if (!audience) return no(400, `no such resource: ${resource === "" ? "none was named" : resource}`);
  const clientId = query.get("client_id");
  const caller = clientId === null ? "actuator" : callerOf(clientId);
  if (!caller) return no(400, `no managed identity has the client id ${clientId}`);
  const { token, expiresAt } = await identity.mint(audience, caller);
  return json(200, { access_token: token, expires_on: String(expiresAt / 1000), resource, token_type: "Bearer", client_id: clientIds[caller] });
}

const audienceOf = (resource: string): Audience | null => Object.values(audiences).find((audience) => audience === resource.replace(/\/$/, "")) ?? null;
const callerOf = (clientId: string): Caller | null => (clientId === clientIds.actuator ? "actuator" : clientId === clientIds.observer ? "observer" : null);
