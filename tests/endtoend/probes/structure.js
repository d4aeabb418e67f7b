// What a screen reader needs, and a page that is whole has: one line for each thing that is wrong.
() => {
  const wrong = [], say = (what, element) => wrong.push(`${what}: ${element.outerHTML.slice(0, 90)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  if (!document.documentElement.lang) wrong.push("the page has no language");
  if (!document.title) wrong.push("the page has no title");
  for (const figure of all("figure")) {
    const shown = [...figure.querySelectorAll("[role=img]")].filter((e) => e.getClientRects().length);
    if (shown.length !== 1) say("a figure is not drawn once", figure);
    for (const drawing of shown) {
      const svg = drawing.querySelector("svg"), box = svg ? svg.getBoundingClientRect() : { width: 0, height: 0 };
      if (box.width < 100 || box.height < 50) say("a figure is empty", figure);
      if (svg && svg.querySelectorAll("path, use, rect, image").length < 5) say("a figure has nothing in it", figure);
    }
    if ((figure.querySelector("figcaption")?.textContent.trim().length || 0) < 5) say("a figure has no caption", figure);
    if (!figure.querySelector("details table")) say("a figure has no numbers", figure);
  }
  for (const drawing of all("[role=img]")) {
    if (!drawing.getAttribute("aria-label")?.trim()) say("no alt text", drawing);
    if (drawing.querySelector("svg")?.getAttribute("aria-hidden") !== "true") say("its parts are read out", drawing);
  }
  for (const image of all("img")) if (!image.complete || !image.naturalWidth || !image.alt) say("a missing image", image);
  for (const image of all("svg image"))
    if (!/^data:image/.test(image.getAttribute("href") || image.getAttribute("xlink:href"))) say("an image elsewhere", image);
  for (const table of all("table")) {
    const heads = [...table.tHead.rows[0].cells];
    if (heads.some((cell) => cell.tagName !== "TH" || cell.scope !== "col" || !cell.textContent.trim())) say("a head without scope", table);
    if ([...table.tBodies[0].rows].some((row) => row.cells.length !== heads.length)) say("rows of another length", table);
    const caption = document.getElementById(table.getAttribute("aria-describedby"));
    if (!caption?.textContent.trim()) say("a table without caption", table);
    const region = table.closest("[role=region]");
    if (!region || region.tabIndex !== 0 || !document.getElementById(region.getAttribute("aria-labelledby"))) say("no region by keyboard", table);
  }
  for (const section of all("section")) if (!document.getElementById(section.getAttribute("aria-labelledby"))) say("a section without name", section);
  for (const link of all("a")) if (!document.querySelector(link.getAttribute("href"))) say("a link to nothing", link);
  const ids = all("[id]").map((e) => e.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id is used twice");
  const levels = all("h1, h2, h3, h4").map((h) => Number(h.tagName[1]));
  if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1) wrong.push("not one first heading");
  if (levels.some((level, i) => i && level - levels[i - 1] > 1)) wrong.push("a level of headings is skipped");
  return wrong;
}
