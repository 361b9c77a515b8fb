/** The texts of aligning nodes. */

export const align = {
  ways: {
    left: "Align left edges",
    centre: "Align centres",
    right: "Align right edges",
    top: "Align top edges",
    middle: "Align middles",
    bottom: "Align bottom edges",
    across: "Equal gaps from left to right",
    down: "Equal gaps from top to bottom",
  },
  few: "Select two nodes or more to align them, three or more for equal gaps.",
  snapped: "Nodes keep to the dots",
  free: "Nodes stand anywhere",
} as const;
