extension HTMLReport {
  /// Light and dark by the reader's setting; figures keep a white ground, on which their colours were chosen.
  static let style = """
    :root{color-scheme:light dark;--ground:#fff;--raised:#f6f7f9;--ink:#1c2127;--quiet:#5b6570;--line:#d8dde3;--link:#0b5cad;
      --alarm:#a4001d;--alarm-ground:#fdecef;--note:#0072b2;--note-ground:#eef6fc}
    @media(prefers-color-scheme:dark){:root{--ground:#14171b;--raised:#1d2228;--ink:#e4e8ec;--quiet:#9aa5b1;--line:#353c45;
      --link:#7cb7f2;--alarm:#ff8497;--alarm-ground:#3a1119;--note:#6cb8ea;--note-ground:#12283a}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
    main{max-width:1080px;margin:0 auto;padding:2.5rem 1.5rem 5rem}
    header{border-bottom:2px solid var(--ink);margin-bottom:1.5rem}
    h1{font-size:2rem;line-height:1.2;margin:0 0 .4rem;overflow-wrap:anywhere}
    h2{font-size:1.4rem;margin:2.8rem 0 .7rem;padding-top:.3rem}
    h3{font-size:1.08rem;margin:1.8rem 0 .5rem}
    p,ul,pre,aside{max-width:46rem}
    p{margin:.6rem 0}
    .subtitle{color:var(--quiet);margin:.2rem 0 1rem}
    nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:0 0 1rem;padding:0;max-width:none}
    a{color:var(--link)}
    pre{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:.8rem 1rem;overflow-x:auto;font-size:.86rem}
    code{font-family:ui-monospace,"SF Mono","DejaVu Sans Mono",monospace}
    .scroll{overflow-x:auto;margin:1.2rem 0}
    table{border-collapse:collapse;font-size:.93rem}
    caption{text-align:left;color:var(--quiet);padding-bottom:.5rem}
    th,td{text-align:left;padding:.42rem 1.1rem .42rem 0;vertical-align:top;border-bottom:1px solid var(--line)}
    th{border-bottom:1.5px solid var(--ink);font-weight:600;white-space:nowrap;vertical-align:bottom}
    td+td,th+th{padding-left:.5rem}
    .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    .error{color:var(--quiet)}
    .withheld{color:var(--alarm);font-weight:600}
    .reason{display:block;font-weight:400;font-size:.82rem;white-space:normal}
    .detail{display:block;font-weight:400;font-size:.8rem;color:var(--quiet);white-space:nowrap}
    strong .error{color:inherit}
    details{margin:1.2rem 0}
    summary{cursor:pointer;color:var(--link);font-size:.95rem}
    aside.note{border-left:4px solid var(--note);background:var(--note-ground);padding:.3rem 1rem;margin:1.2rem 0;border-radius:0 6px 6px 0}
    section.warning{border:2px solid var(--alarm);background:var(--alarm-ground);border-radius:8px;padding:.9rem 1.2rem;margin:1.5rem 0}
    section.warning h3{margin:0 0 .3rem;color:var(--alarm);font-size:1.15rem}
    section.warning h3::before{content:"\\26A0\\FE0E";margin-right:.5rem}
    section.warning p{margin:.2rem 0}
    figure{margin:1.6rem 0}
    .plot{background:#fff;border:1px solid var(--line);border-radius:8px;padding:.6rem;width:fit-content;max-width:100%}
    .plot svg{display:block;max-width:100%;height:auto;color:#000}
    figcaption{color:var(--quiet);font-size:.9rem;margin-top:.5rem;max-width:46rem}
    .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:.9rem;align-items:start}
    .plots .plot{width:auto}
    .plots .plot svg{width:100%}
    img.picture{display:block;max-width:100%;height:auto;border:1px solid var(--line);border-radius:6px}
    .images{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:.9rem}
    .cell img{width:100%;display:block;border:1px solid var(--line);border-radius:4px;background:#c8c8c8}
    .cell img.sharp{image-rendering:pixelated}
    .cell span{display:block;font-size:.82rem;color:var(--quiet);margin-top:.25rem;overflow-wrap:anywhere}
    @media(max-width:640px){main{padding:1.5rem 1rem 3rem}h1{font-size:1.6rem}}
    @media print{main{max-width:none;padding:0}section.warning,figure,tr{break-inside:avoid}}
    """
}
