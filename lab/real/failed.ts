/** A real cluster did not come up, or Velero in it; the message names the program, says what it said, and where its log is. */
export class RealClusterFailed extends Error {
  override readonly name = "RealClusterFailed";
}
