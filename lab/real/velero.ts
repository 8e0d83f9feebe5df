/** A real Velero in a real cluster: what `velero install` applies, and its storage locations. */

/** As the double's locations: one setup serves both. */
export interface RealLocation {
  readonly name: string;
  /** Signs with this account's key. */
  readonly account: string;
  /** The blob endpoint, path style: `http://127.0.0.1:4321/stshopneu`, or `…/stshopgeo-secondary`. */
  readonly url: string;
  readonly container: string;
  readonly accessMode: "ReadWrite" | "ReadOnly";
  readonly isDefault?: boolean;
}

export interface VeleroSetup {
  readonly locations: readonly RealLocation[];
  /** Account → its key in base64; all accounts that the locations name. */
  readonly accountKeys: Readonly<Record<string, string>>;
  /** How often backups are looked for in the locations; default 60, Velero's own. */
  readonly syncPeriodSeconds?: number;
  /** How often a location is validated; default 60, Velero's own. */
  readonly validationSeconds?: number;
  /** Until all locations are Available, wall time; default 60. */
  readonly readySeconds?: number;
}
