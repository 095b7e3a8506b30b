/* SPDX-License-Identifier: MIT */
/* report_style.h - how the page looks: a printed lab report, in light and dark and on paper. */
#pragma once

/* Contrast of text to paper is above 4.5 to 1 in both (WCAG 2.1, 1.4.3). */
static const char *const report_style[] = {
    ":root{color-scheme:light dark;--paper:#fdfdfb;--ink:#1f2429;--soft:#5a636c;--rule:#dcdfe1;"
    "--tint:#f3f4f2;--accent:#22597f;--pale:#b9cddc}\n",
    "@media(prefers-color-scheme:dark){:root{--paper:#15181b;--ink:#e3e5e7;--soft:#a2aab2;"
    "--rule:#343a40;--tint:#1c2024;--accent:#8abde0;--pale:#35536a}}\n",
    "*{box-sizing:border-box}\n",
    "html{font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,"
    "sans-serif;background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%}\n",
    "body{max-width:62rem;margin:0 auto;padding:4rem 2rem 5rem}\n",
    "h1,.lead,.abstract{font-family:Charter,'Bitstream Charter','Iowan Old Style','Palatino "
    "Linotype',Georgia,'DejaVu Serif',serif}\n",
    "h1{font-size:2.25rem;line-height:1.15;font-weight:500;letter-spacing:-.01em;margin:.4rem 0 "
    "1.25rem;text-wrap:balance}\n",
    "h2{font-size:.8125rem;font-weight:600;letter-spacing:.09em;text-transform:uppercase;"
    "color:var(--soft);margin:4.5rem 0 1.25rem;padding-top:.75rem;border-top:1px solid "
    "var(--ink)}\n",
    "h3{font-size:1.0625rem;font-weight:600;margin:0}h3 span{font-weight:400;color:var(--soft);"
    "margin-left:.4em}\n",
    "a{color:var(--accent);text-underline-offset:.15em;text-decoration-thickness:1px}\n",
    "h1,h3,p,dd{overflow-wrap:anywhere;min-width:0}\n",
    "p{margin:0 0 1rem;max-width:44rem}small,.soft{color:var(--soft);font-size:.875rem}\n",
    "code{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "overflow-wrap:anywhere;unicode-bidi:isolate}\n",
    ".kicker{font-size:.8125rem;color:var(--soft);margin:0}.abstract{font-size:1.1875rem;"
    "line-height:1.6;max-width:42rem}\n",
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:1.5rem "
    "2rem;margin:2.5rem 0 0}.figures div{border-top:1px solid var(--rule);padding-top:.6rem}\n",
    ".figures dt{font-size:.8125rem;color:var(--soft)}.figures dd{margin:0;font-size:1.875rem;"
    "line-height:1.25;font-variant-numeric:tabular-nums lining-nums;font-weight:300}\n",
    ".figures small{display:block;line-height:1.4;font-size:.8125rem;font-weight:400}\n",
    "table{border-collapse:collapse;width:100%;font-size:.9375rem}th,td{text-align:left;"
    "vertical-align:top;padding:.5rem 1.25rem .5rem 0;border-bottom:1px solid var(--rule);"
    "font-weight:400}th:last-child,td:last-child{padding-right:0}\n",
    "thead th{font-size:.8125rem;color:var(--soft);padding-top:0;white-space:nowrap;"
    "vertical-align:bottom}.num{text-align:right;font-variant-numeric:tabular-nums lining-nums;"
    "white-space:nowrap}\n",
    ".scroll{overflow-x:auto;margin:0 0 1rem}.nowrap{white-space:nowrap}\n",
    "article{display:grid;grid-template-columns:14rem minmax(0,1fr);gap:1rem 2.5rem;padding:2rem 0 "
    "2.5rem;border-top:1px solid var(--rule);scroll-margin-top:1rem}\n",
    "article:first-of-type{border-top:0;padding-top:.5rem}article>header{grid-column:1/-1;"
    "display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:baseline}\n",
    ".lead{font-size:1.125rem;line-height:1.55;margin-bottom:1.5rem}\n",
    ".facts{margin:.25rem 0 0;font-size:.9375rem}.facts dt{font-size:.8125rem;"
    "color:var(--soft)}.facts dd{margin:0 0 .6rem;overflow-wrap:anywhere;"
    "font-variant-numeric:tabular-nums}.facts b{font-weight:600}\n",
    ".reasons tbody th{min-width:14rem;width:100%}time{white-space:nowrap}.reasons tbody "
    "code,.against th{color:var(--soft)}.reasons "
    "tbody tr:last-child>*{border-bottom:0}\n",
    ".sev{display:inline-flex;gap:.45em;align-items:baseline;white-space:nowrap}.sev "
    "svg{width:.9em;height:.78em;flex:none}.sev.s3{font-weight:700}.sev.s1{color:var(--soft)}"
    ".sev .on{fill:currentColor;stroke:currentColor}.sev .off{fill:none;stroke:currentColor;"
    "opacity:.45}\n",
    ".plot{margin:0 0 1.5rem;overflow-x:auto}.plot svg{display:block;width:100%;min-width:30rem;"
    "height:auto;font:12px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;"
    "fill:var(--ink)}\n",
    ".t,.n,.l{fill:var(--soft)}.t{font-size:11.5px;font-variant-numeric:tabular-nums}.l{font-size:"
    "13px;fill:var(--ink)}.e{text-anchor:end}.m{text-anchor:middle}.w{font-weight:600;"
    "paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}\n",
    ".g{stroke:var(--rule);fill:none;stroke-width:1;opacity:.8}.a{stroke:var(--soft);fill:none;"
    "stroke-width:1}.k{stroke:var(--ink);fill:none;stroke-width:1;stroke-dasharray:3 "
    "3}.p{fill:var(--accent)}.s{fill:none;stroke:var(--accent);stroke-width:1.5}.d{fill:"
    "var(--pale);stroke:var(--accent);stroke-width:1.25}.b{fill:var(--accent);opacity:.75}\n",
    ".v{fill:var(--accent)}.v1{opacity:.5}.v2{opacity:.75}.h{fill:var(--paper);stroke:var(--soft);"
    "stroke-width:1;stroke-dasharray:2 2}a:hover .v,a:focus-visible .v{opacity:1;stroke:"
    "var(--ink)}\n",
    ".reasons td "
    "span{display:inline-block;min-width:3.6em}.share{width:3.1rem;height:.5rem;margin-right:.4rem}"
    ".share .rail{fill:var(--rule)}.share "
    ".on{fill:var(--accent)}.share .off{fill:none;stroke:var(--soft)}\n",
    ".names,.next,details{font-size:.9375rem;color:var(--soft)}.names code,.next "
    "code{color:var(--ink)}summary{cursor:pointer;color:var(--soft);margin-bottom:.5rem}\n",
    "details.held>summary{color:var(--ink);font-size:1rem;padding:.35rem 0}\n",
    "footer{margin-top:4.5rem;padding-top:.75rem;border-top:1px solid var(--rule);"
    "color:var(--soft);font-size:.875rem}:focus-visible{outline:2px solid var(--accent);"
    "outline-offset:2px}\n",
    ".swipe{display:none;color:var(--soft);font-size:.875rem}.mark{font-size:.875rem;"
    "color:var(--accent);font-weight:600}\n",
    "@media(max-width:46rem){.swipe{display:block}.plot svg.wide{min-width:46rem}body{padding:2rem "
    "1.125rem "
    "3rem}h1{font-size:1.75rem}article{"
    "display:block}.facts{display:grid;grid-template-columns:6rem 1fr;margin:1rem 0 1.5rem}"
    ".facts dd{margin-bottom:.25rem}h2{margin-top:3rem}.hosts th:last-child,.hosts "
    "td:last-child{display:none}}\n",
    "@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--rule:#bbb;--accent:#22597f;"
    "--pale:#c8d6e0}html{font-size:10pt}body{max-width:none;padding:0}article,figure,tr{"
    "break-inside:avoid}h2,h3{break-after:avoid}.plot svg{min-width:0}a{color:inherit;"
    "text-decoration:none}.next{display:none}}\n"};
