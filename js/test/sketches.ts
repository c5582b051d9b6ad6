import type { Sketch } from "../src/history";
import type { Mask } from "../src/mask";

/** A region without named ones beside it. */
export const alone = (mask: Mask): Sketch => ({ mask, regions: [], active: "" });
