/** A rule of the world says no: for good, until something else changes. `status` and `code` are those of Azure. */
export interface Refusal {
  readonly kind: "refused";
  readonly status: 400 | 404 | 409 | 412;
  readonly code: string;
  readonly message: string;
}

export const refused = (status: Refusal["status"], code: string, message: string): Refusal => ({ kind: "refused", status, code, message });
