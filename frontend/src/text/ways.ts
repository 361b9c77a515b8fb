/** The texts of way points on links. */

export const ways = {
  command: "Add a way point to the selected link",
  add: "Add a way point",
  remove: "Remove the way point",
  straighten: "Remove all its way points",
  point: (number: number, count: number, link: string) => `Way point ${number} of ${count}: ${link}`,
  link: (from: string, to: string) => `${from} to ${to}`,
  menu: "What can be done with this way point",
  select: "Select a link first: click on it.",
} as const;
