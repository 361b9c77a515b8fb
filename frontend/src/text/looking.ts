/** The texts of looks into the bodies of loops. */

export const looking = {
  carried: "This loop carries a state from step to step, so no look can pick out one of them.",
  carriedRemedy: "Place the node Inspect in the body and run: it shows the value of the last step. Or look at what the loop gives.",
  iteration: "Iteration",
  of: (count: number) => `of ${count}`,
  before: "Iteration before",
  after: "Iteration after",
  none: "The loop has no iterations: its lists are empty.",
} as const;
