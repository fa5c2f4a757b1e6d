"""Elements of the flow editor's canvas, and the scripts that read them."""

from typing import NamedTuple

# The editor moves overlapping boxes apart a moment after drawing them, with an animation. The page must also have drawn
# frames since the last change, because on a busy machine a second can pass in which the editor does nothing.
IS_SETTLED = """() => {
  if (!window.settling) {
    const state = window.settling = {drawn: "", since: 0, frames: 0};
    const countFrame = () => { state.frames += 1; requestAnimationFrame(countFrame); };
    countFrame();
  }
  const state = window.settling;
  const shown = [...document.querySelectorAll('[data-testid^="draggable_"]')];
  const drawn = JSON.stringify(shown.map(box => [box.dataset.testid, box.getBoundingClientRect()]));
  if (drawn !== state.drawn) Object.assign(state, {drawn, since: Date.now(), frames: 0});
  return shown.length > 0 && Date.now() - state.since > 800 && state.frames > 24;
}"""
IS_BLANK = "() => document.querySelector('[data-testid^=\"draggable_\"]') === null"
BOXES = """() => Object.fromEntries(
  [...document.querySelectorAll('[data-testid^="draggable_"]')].map(box => {
    const {left, top} = document.getElementById("canvas").getBoundingClientRect();
    const drawn = box.getBoundingClientRect();
    return [box.dataset.testid.replace("draggable_", ""),
            [drawn.left - left, drawn.top - top, drawn.width, drawn.height].map(Math.round)];
  }))"""
STICKIES = """() => [...document.querySelectorAll('[data-spec="sticky-container"]')].map(sticky => {
  const [title, body] = [...sticky.querySelectorAll("textarea")].map(area => area.value);
  return {uuid: sticky.id, title, body};
})"""
TEXTS = """() => Object.fromEntries([...document.querySelectorAll('[data-testid^="draggable_"]:has(.flow_node)')].map(
  box => [box.dataset.testid.replace("draggable_", ""), box.innerText.trim().split(/\\s*\\n\\s*/)]))"""
# Each line with points on its path, five pixels apart.
LINES = """() => !window.jsPlumb ? [] : window.jsPlumb.getConnections().map(line => {
  const path = line.connector.canvas.querySelector("path"), points = [];
  const {left, top} = document.getElementById("canvas").getBoundingClientRect();
  for (let along = 0; along <= path.getTotalLength(); along += 5) {
    const point = path.getPointAtLength(along).matrixTransform(path.getScreenCTM());
    points.push([point.x - left, point.y - top]);
  }
  return [...line.sourceId.split(":"), line.targetId, points];
})"""
# The editor gives an unknown node a red title bar, and a router with the type of an action node no title bar at all.
# Its list of issues has only the issues from the server. It shows other errors in a dialog.
ISSUES = """() => {
  const text = shown => shown.innerText.trim().replace(/\\s*\\n\\s*/g, ": ");
  const wrong = node => node.querySelector('[data-spec="titlebar"][class*="shared_missing_"]') !== null
    || node.querySelector('[data-spec="titlebar"]') === null;
  const listed = '[class*="IssuesTab_message"], [class*="alert_body"]';
  const nodes = [...document.querySelectorAll(".flow_node")];
  return [...nodes.filter(wrong), ...document.querySelectorAll(listed)].map(text);
}"""


class Box(NamedTuple):
    """A rectangle in the editor's coordinates, which are those of the positions in a definition."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def meets(self, other: "Box") -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)

    def has_inside(self, x: float, y: float) -> bool:
        """Report whether the point is inside, except for the transparent edge of a few pixels."""
        return self.left + 4 < x < self.right - 4 and self.top + 4 < y < self.bottom - 4


class Sticky(NamedTuple):
    uuid: str
    title: str
    body: str


class Line(NamedTuple):
    """A drawn line from a node's exit to another node."""

    node: str
    exit: str
    destination: str
