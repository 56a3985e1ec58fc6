"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  for (const element of all(".needs-script")) element.hidden = false;

  const cards = document.getElementById("cards");
  const more = document.getElementById("more");
  const find = document.getElementById("find");
  const findCount = document.getElementById("find-count");
  const unfold = document.getElementById("unfold");

  const waiting = () => document.querySelectorAll("script.more").length;
  const showChunk = () => {
    const chunk = document.querySelector("script.more");
    if (!chunk) return false;
    const holder = document.createElement("template");
    holder.innerHTML = chunk.textContent;
    cards.append(holder.content);
    chunk.remove();
    if (more && !waiting()) more.parentElement.hidden = true;
    return true;
  };
  const filterCards = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) while (showChunk());
    let shown = 0;
    for (const card of cards.children) {
      const text = words.length ? card.textContent.toLowerCase() : "";
      card.hidden = !words.every((word) => text.includes(word));
      if (!card.hidden) shown += 1;
    }
    findCount.textContent = words.length ? `${shown} of ${cards.children.length} findings` : "";
  };
  if (more) more.addEventListener("click", showChunk);
  if (find) {
    let timer = 0;
    find.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(filterCards, 120);
    });
  }
  if (unfold) {
    unfold.addEventListener("click", () => {
      const open = unfold.textContent === "Open all";
      for (const details of all("#cards > .card > details")) details.open = open;
      unfold.textContent = open ? "Close all" : "Open all";
    });
  }

  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const asked = /^requirement-/.test(id) && document.getElementById(id);
    if (asked) {
      asked.open = true;
      asked.scrollIntoView();
      asked.querySelector("summary").focus({ preventScroll: true });
      return;
    }
    if (!/^(finding|advice)-\d+$/.test(id)) return;
    let card = document.getElementById(id);
    while (!card && showChunk()) card = document.getElementById(id);
    if (!card) return;
    card.hidden = false;
    card.querySelector("details").open = true;
    card.scrollIntoView();
    card.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  reveal();

  const chips = all(".chip");
  const matrixCount = document.getElementById("matrix-count");
  const filterRows = () => {
    const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.status);
    let shown = 0;
    const rows = all("tr.row");
    for (const row of rows) {
      const statuses = row.dataset.statuses.split(" ");
      row.hidden = wanted.length > 0 && !wanted.some((status) => statuses.includes(status));
      if (!row.hidden) shown += 1;
    }
    for (const body of all("#matrix tbody")) body.hidden = !body.querySelector("tr.row:not([hidden])");
    for (const cell of all("td.cell")) {
      cell.classList.toggle("faded", wanted.length > 0 && !wanted.some((status) => cell.classList.contains(`cell-${status}`)));
    }
    matrixCount.textContent = wanted.length ? `${shown} of ${rows.length} requirements` : "";
  };
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filterRows();
    });
  }

  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const code = button.closest(".copyable").querySelector("code");
    let copied = true;
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      select(code);
      copied = document.execCommand("copy");
    }
    button.textContent = copied ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("#cards > .card > details:not([open])").slice(0, 100);
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
