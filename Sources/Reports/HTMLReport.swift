import Foundation
import Host

/// One HTML file that holds everything: text, tables, figures and images. No script, no request to any server.
///
/// Whatever is added is escaped; figures must come from `Gnuplot`.
public struct HTMLReport: Sendable {
  public let title: String
  private var body = ""
  private var headings: [(anchor: String, text: String)] = []
  private var figures = 0

  public init(title: String, subtitle: String = "") {
    self.title = title
    body =
      "<header><h1>\(escaped(title))</h1>" + (subtitle.isEmpty ? "" : "<p class=\"subtitle\">\(escaped(subtitle))</p>")
      + "</header>\n"
  }

  /// A heading of level 2 or 3; those of level 2 are listed at the top. Traps on other levels.
  public mutating func heading(_ text: String, level: Int = 2) {
    precondition(level == 2 || level == 3, "headings have level 2 or 3, got \(level)")
    let anchor = "section-\(headings.count + 1)"
    if level == 2 { headings.append((anchor, text)) }
    body += "<h\(level)\(level == 2 ? " id=\"\(anchor)\"" : "")>\(escaped(text))</h\(level)>\n"
  }

  public mutating func paragraph(_ text: String) { body += "<p>\(escaped(text))</p>\n" }

  /// A remark beside the argument.
  public mutating func note(_ text: String) { body += "<aside class=\"note\"><p>\(escaped(text))</p></aside>\n" }

  /// A box that cannot be overlooked, such as for a number withheld because a leak was found.
  public mutating func warning(_ title: String, _ text: String) {
    body += "<section class=\"warning\" role=\"alert\"><h3>\(escaped(title))</h3><p>\(escaped(text))</p></section>\n"
  }

  public mutating func list(_ items: [String]) {
    body += "<ul>" + items.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>\n"
  }

  /// What `content` adds, folded away behind its summary until the reader asks. Headings do not belong in it.
  public mutating func details<E: Error>(_ summary: String, _ content: (inout HTMLReport) throws(E) -> Void) throws(E) {
    body += "<details><summary>\(escaped(summary))</summary>\n"
    defer { body += "</details>\n" }
    try content(&self)
  }

  /// Text in a fixed font, line by line, such as a recipe or a command.
  public mutating func code(_ text: String) { body += "<pre><code>\(escaped(text))</code></pre>\n" }

  public mutating func table(_ table: Table, caption: String) {
    func classes(_ column: Int) -> String { table.columns[column].alignment == .right ? " class=\"number\"" : "" }
    body += "<div class=\"scroll\"><table><caption>\(escaped(caption))</caption><thead><tr>"
    for c in table.columns.indices { body += "<th scope=\"col\"\(classes(c))>\(escaped(table.columns[c].title))</th>" }
    body += "</tr></thead><tbody>\n"
    for row in table.rows {
      body += "<tr>" + row.indices.map { "<td\(classes($0))>\(HTMLReport.cell(row[$0]))</td>" }.joined() + "</tr>\n"
    }
    body += "</tbody></table></div>\n"
  }

  /// A figure by `Gnuplot.svg`. Throws where the document holds what can run.
  public mutating func figure(svg: String, caption: String) throws(InputError) {
    try figures(svgs: [svg], caption: caption)
  }

  /// Several such figures, two abreast, under one caption.
  public mutating func figures(svgs: [String], caption: String) throws(InputError) {
    var plots = ""
    for svg in svgs { plots += "<div class=\"plot\">\(try inline(svg, caption: caption))</div>" }
    if svgs.count > 1 { plots = "<div class=\"plots\">\(plots)</div>" }
    body += "<figure>\(plots)<figcaption>\(escaped(caption))</figcaption></figure>\n"
  }

  /// The figure with identifiers of its own.
  private mutating func inline(_ svg: String, caption: String) throws(InputError) -> String {
    guard svg.hasPrefix("<svg"),
      !["<script", "<foreignobject", "<iframe", "<!entity"].contains(where: svg.lowercased().contains)
    else {
      throw InputError(path: "", place: "figure \(caption)", expected: "an SVG document without scripts", found: "another text")
    }
    figures += 1
    // Identifiers are unique within a page, not within a figure.
    let own = "f\(figures)-"
    return svg.replacingOccurrences(of: " id='", with: " id='\(own)").replacingOccurrences(
      of: " id=\"", with: " id=\"\(own)"
    )
    .replacingOccurrences(of: "href='#", with: "href='#\(own)").replacingOccurrences(of: "url(#", with: "url(#\(own)")
  }

  /// A PNG image in its own size, or as wide as the page.
  public mutating func picture(_ png: Data, caption: String) throws(InputError) {
    try HTMLReport.check(png, label: caption)
    body += "<figure><img class=\"picture\" alt=\"\(escaped(caption))\" src=\"data:image/png;base64,\(png.base64EncodedString())\">"
      + "<figcaption>\(escaped(caption))</figcaption></figure>\n"
  }

  private static func check(_ png: Data, label: String) throws(InputError) {
    guard png.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
      throw InputError(path: "", place: "image \(label)", expected: "a PNG file", found: "\(png.count) other bytes")
    }
  }

  /// PNG images side by side, each with its own line below. `sharp` keeps detector pixels square when enlarged.
  /// `columns`: how many abreast; `nil` for as many as fit. Throws where one is no PNG.
  public mutating func images(
    _ images: [(png: Data, label: String)], caption: String, sharp: Bool = true, columns: Int? = nil
  ) throws(InputError) {
    var cells = ""
    for (png, label) in images {
      try HTMLReport.check(png, label: label)
      cells +=
        "<div class=\"cell\"><img alt=\"\(escaped(label))\"\(sharp ? " class=\"sharp\"" : "") "
        + "src=\"data:image/png;base64,\(png.base64EncodedString())\"><span>\(escaped(label))</span></div>"
    }
    let grid = columns.map { " style=\"grid-template-columns:repeat(\(max(1, $0)),1fr)\"" } ?? ""
    body += "<figure><div class=\"images\"\(grid)>\(cells)</div><figcaption>\(escaped(caption))</figcaption></figure>\n"
  }

  /// The whole document.
  public var html: String {
    let contents =
      headings.count < 3
      ? ""
      : "<nav aria-label=\"Contents\"><ul>"
        + headings.map { "<li><a href=\"#\($0.anchor)\">\(escaped($0.text))</a></li>" }.joined() + "</ul></nav>\n"
    let split = body.range(of: "</header>\n").map { $0.upperBound } ?? body.startIndex
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <title>\(escaped(title))</title>
      <style>
      \(HTMLReport.style)
      </style>
      </head>
      <body><main>
      \(body[..<split])\(contents)\(body[split...])</main></body>
      </html>

      """
  }

  public func write(to path: String) throws(InputError) { try AtomicFile.write(Data(html.utf8), to: path) }

  private static func cell(_ cell: Table.Cell) -> String {
    switch cell {
    case .measured(let value, let error, let digits):
      "\(decimal(value, digits))<span class=\"error\"> ± \(decimal(error, digits))</span>"
    case .withheld(let reason): "<span class=\"withheld\">withheld<span class=\"reason\">\(escaped(reason))</span></span>"
    case .missing: "<span class=\"error\">–</span>"
    case .emphasized(let cell): "<strong>\(HTMLReport.cell(cell))</strong>"
    case .detailed(let cell, let detail): HTMLReport.cell(cell) + "<span class=\"detail\">\(escaped(detail))</span>"
    default: escaped(cell.text)
    }
  }
}

/// Text that HTML shows as it is, between tags and in attributes.
func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\n", "\t": result.unicodeScalars.append(scalar)
    // Control characters are no part of HTML text.
    case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value): result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
