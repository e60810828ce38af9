/* Search of names in shards. Without it, lists by letter, network and département lead to the same pages. */
(function () {
  "use strict";
  var box = document.getElementById("resultats"), field = document.getElementById("q");
  if (!box || !field) return;
  var told = document.getElementById("compte"), home = box.getAttribute("data-shards"), starts = null, held = {}, asked = "";
  var saints = { saint: "st", sainte: "ste", saints: "sts", saintes: "stes" };
  var small = " a au aux d de des du en et l la le les n s sur ";
  var most = 4;

  function folded(text) {
    return text.toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae").replace(/ß/g, "ss")
      .normalize("NFD").replace(/[\u0300-\u036f]/g, "").split(/[^a-z0-9]+/).filter(Boolean)
      .map(function (word) { return saints[word] || word; });
  }
  function load(address, then) {
    var script = document.createElement("script");
    script.src = home + address;
    script.onload = then;
    script.onerror = function () { told.textContent = "La recherche n'a pas pu se charger : les listes ci-dessous mènent à toutes les pages."; };
    document.head.appendChild(script);
  }
  window.I = function (found) { starts = found; };
  window.R = function (number, found) { held[number] = found; };

  /* The shards that may hold keys beginning with these letters: [first, last]. */
  function span(key) {
    var first = 0, last = 0, end = key + "\uffff";
    for (var i = 0; i < starts.length; i++) {
      if (starts[i] < key.slice(0, 20)) first = i;
      if (starts[i] <= end) last = i;
    }
    return [first, Math.max(first, last)];
  }
  /* What to look up: words from one of them on, those in fewest shards first, then the others in turn. */
  function narrowest(words) {
    var all = [];
    words.forEach(function (word, start) {
      if (small.indexOf(" " + word + " ") >= 0 && words.length > 1) return;
      for (var end = words.length; end > start; end--) {
        var found = span(words.slice(start, end).join(" ")), width = found[1] - found[0] + (words.length - end + start) / 100;
        all.push({ width: width, first: found[0], last: found[1] });
      }
    });
    return all.sort(function (a, b) { return a.width - b.width; });
  }
  function score(words, entry) {
    var own = folded(entry[0] + " " + entry[2]), points = 0;
    for (var i = 0; i < words.length; i++) {
      var good = 0;
      for (var j = 0; j < own.length; j++) {
        if (own[j] === words[i]) good = 3;
        else if (!good && own[j].indexOf(words[i]) === 0) good = 1;
      }
      if (!good) return -1;
      points += good;
    }
    var name = folded(entry[0]).join(" "), query = words.join(" ");
    return points * 10 + (name === query ? 100 : name.indexOf(query) === 0 ? 50 : name.indexOf(query) > 0 ? 25 : 0) - own.length;
  }
  function show(words, numbers, cut, otherwise) {
    var seen = {}, found = [];
    numbers.forEach(function (number) {
      (held[number] || []).forEach(function (entry) {
        if (seen[entry[1]]) return;
        seen[entry[1]] = true;
        var points = score(words, entry);
        if (points >= 0) found.push([points, entry]);
      });
    });
    if (!found.length && otherwise) { otherwise(); return; }
    found.sort(function (a, b) { return b[0] - a[0] || (a[1][0] < b[1][0] ? -1 : 1); });
    box.textContent = "";
    found.slice(0, 30).forEach(function (one) {
      var item = document.createElement("li"), link = document.createElement("a");
      link.href = home.replace(/recherche\/$/, "") + encodeURI(one[1][1]);
      link.textContent = one[1][0];
      item.appendChild(link);
      item.appendChild(document.createTextNode(" " + one[1][2]));
      box.appendChild(item);
    });
    var count = found.length, more = cut || count > 30;
    told.textContent = count ? count + (cut ? " résultats ou plus" : count > 1 ? " résultats" : " résultat") + (more ? " : préciser la recherche." : ".")
      : "Aucun résultat. Essayer un mot de moins, ou les listes ci-dessous.";
  }
  function look() {
    var text = field.value, words = folded(text);
    asked = text;
    if (words.join("").length < 2) { box.textContent = ""; told.textContent = ""; return; }
    if (!starts) { load("index.js", function () { if (starts) look(); }); return; }
    attempt(text, words, narrowest(words));
  }
  function attempt(text, words, places) {
    var where = places[0], numbers = [], cut = where.last - where.first >= most;
    var otherwise = places.length > 1 && function () { attempt(text, words, places.slice(1)); };
    for (var i = where.first; i <= where.last && numbers.length < most; i++) numbers.push(i);
    var missing = numbers.filter(function (number) { return !held[number]; }), left = missing.length;
    if (!left) { show(words, numbers, cut, otherwise); return; }
    missing.forEach(function (number) {
      load(number + ".js", function () { if (!--left && asked === text) show(words, numbers, cut, otherwise); });
    });
  }
  var query = /[?&]q=([^&]*)/.exec(location.search), timer;
  if (query) field.value = decodeURIComponent(query[1].replace(/\+/g, " "));
  field.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(look, 150); });
  field.form.addEventListener("submit", function (event) { event.preventDefault(); clearTimeout(timer); look(); });
  look();
})();
