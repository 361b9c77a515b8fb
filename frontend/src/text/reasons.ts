/** Why a link or a text is refused, where the editor judges it. */

export const reasons = {
  itself: "a node cannot feed itself",
  nothingFlows: "nothing says what would flow here",
  noSocket: "there is no such socket",
  writtenName: "the name of a subgraph is written, not linked",
  circle: "the graph would run in a circle",
  noJson: "this is no workflow: it cannot be read as JSON",
  noObject: "this is no workflow: it is not a JSON object",
  noWorkflow: "this is no nodegraph workflow (there is no \"nodegraph\": 1)",
  noNodes: "this workflow has no nodes",
  noType: (id: string) => `node '${id}' has no type`,
  badInputs: (id: string) => `the inputs of node '${id}' cannot be read`,
} as const;
