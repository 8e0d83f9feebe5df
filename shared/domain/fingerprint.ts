/** A 32-bit number made of a text (FNV-1a): the same for the same text, and spread evenly. Tells names apart and makes chance that can be repeated; it hides nothing. */
export function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
