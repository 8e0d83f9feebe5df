/** Why a token is not taken, for whoever brought it. Never a part of the token. */
import { errors } from "jose";

const words: Readonly<Record<string, string>> = {
  [errors.JWTExpired.code]: "it has expired: sign in again",
  [errors.JWTInvalid.code]: "it is not a JSON web token",
  [errors.JWSInvalid.code]: "it is not a JSON web token",
  [errors.JWSSignatureVerificationFailed.code]: "its signature does not fit: it was changed, or somebody else than the issuer signed it",
  [errors.JWKSNoMatchingKey.code]: "it is signed with a key that the issuer does not publish",
  [errors.JWKSMultipleMatchingKeys.code]: "it does not say which of the issuer's keys it is signed with",
  [errors.JOSEAlgNotAllowed.code]: "it is signed in a way that is not taken here",
  [errors.JOSENotSupported.code]: "it is signed in a way that is not taken here",
};

const claims: Readonly<Record<string, string>> = {
  iss: "it was issued by somebody else than this app's issuer (PEOPLE_ISSUER)",
  aud: "it is for another application: ask for one for this app (PEOPLE_AUDIENCE)",
  nbf: "it is not valid yet: look at the clock of the machine that you signed in on",
};

/** One sentence for each way in which jose refuses a token; a way that is not known here is named by jose's own code. */
export function tokenRefusal(error: errors.JOSEError): string {
  if (error instanceof errors.JWTClaimValidationFailed) return claims[error.claim] ?? `its claim \`${error.claim}\` is missing or is not as it must be`;
  return words[error.code] ?? `it cannot be checked (${error.code})`;
}
