/** What `lifeboat --version` says. A test holds it against package.json, which a bundle does not carry with it. */
export const version = "0.1.0";
