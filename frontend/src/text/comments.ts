/** The texts of comments on nodes. */

export const comments = {
  command: "Comment on the node",
  short: "Comment…",
  on: (title: string) => `Comment on ${title}`,
  mark: (comment: string) => `Comment: ${comment}`,
  placeholder: "What is it for?",
} as const;
