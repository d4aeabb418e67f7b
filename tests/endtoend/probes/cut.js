// What cannot be read whole: boxes that reach over the right edge of the page or hide a part of what they hold.
// A region that scrolls, and may be reached by keyboard, hides nothing on a screen; on paper nobody scrolls.
(paper) => {
  const found = [], edge = document.documentElement.clientWidth + 1;
  const scrolls = (e) => !paper && e.closest(".scroll[tabindex]");
  for (const element of document.querySelectorAll("body *")) {
    if (!element.getClientRects().length || element.closest("svg, .skip, script")) continue;
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    const said = `${element.tagName} ${element.textContent.trim().slice(0, 40)}`;
    if (box.right > edge && !scrolls(element)) found.push("over the edge: " + said);
    if (element.matches("td, th, p, li, h1, h2, h3, figcaption, summary, pre") && element.scrollWidth > element.clientWidth + 1
        && style.display !== "inline") found.push("wider than its box: " + said);
    if (paper && style.overflowY !== "visible" && element.scrollHeight > element.clientHeight + 1) found.push("hidden: " + said);
  }
  return found;
}
