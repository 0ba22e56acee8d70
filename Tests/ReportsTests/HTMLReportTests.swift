import Foundation
import Host
import Reports
import Tensors
import Testing

/// A 1×1 PNG, byte by byte as the PNG specification has it (grey, value 128).
private let png = Data([
  0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0,
  0x3A, 0x7E, 0x9B, 0x55, 0, 0, 0, 10, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0xDD, 0x43, 0x6A,
  0xF4, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
])

@Test func everythingIsEscaped() throws {
  let hostile = "<script>alert('x')</script>\"&\u{0}\u{1B}[31m"
  var report = HTMLReport(title: hostile, subtitle: hostile)
  for _ in 0..<3 { report.heading(hostile) }
  report.paragraph(hostile)
  report.note(hostile)
  report.warning(hostile, hostile)
  report.list([hostile])
  report.code(hostile)
  var table = Table([.init(hostile), .init("n", .right)])
  table.append([.text(hostile), .withheld(hostile)])
  report.table(table, caption: hostile)
  try report.images([(png, hostile)], caption: hostile)
  let html = report.html
  #expect(!html.contains("<script") && !html.contains("\u{1B}") && !html.contains("\u{0}"))
  #expect(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\u{FFFD}\u{FFFD}[31m"))
  #expect(XMLProbe.isWellFormed(html))
}

@Test func aReportStandsAlone() throws {
  var report = HTMLReport(title: "Transfer")
  report.heading("Results")
  try report.images([(png, "one"), (png, "two")], caption: "shots")
  let html = report.html
  #expect(html.hasPrefix("<!DOCTYPE html>") && html.contains("<meta charset=\"utf-8\">"))
  #expect(html.components(separatedBy: "data:image/png;base64,iVBORw0KGgo").count == 3)
  #expect(
    !html.contains("http://") && !html.contains("https://") && !html.contains("<link") && html.contains("default-src 'none'"))
  #expect(!html.contains("<nav"))
  report.heading("More")
  report.heading("Still more")
  #expect(report.html.contains("<a href=\"#section-3\">Still more</a>") && report.html.contains("id=\"section-3\""))
}

@Test func measuredNumbersCarryTheirErrors() {
  var table = Table([.init("task"), .init("score", .right)])
  table.append(["hits", .measured(0.8734, error: 0.0211, digits: 3)])
  table.append(["runs", .withheld("leak found")])
  table.append(["none", .missing])
  var report = HTMLReport(title: "t")
  report.table(table, caption: "c")
  #expect(report.html.contains("<td class=\"number\">0.873<span class=\"error\"> ± 0.021</span></td>"))
  #expect(report.html.contains("withheld<span class=\"reason\">leak found</span>"))
}

@Test func aWarningCannotBeOverlooked() {
  var report = HTMLReport(title: "t")
  report.warning("This number is withheld", "The mask alone gives the label.")
  #expect(report.html.contains("<section class=\"warning\" role=\"alert\"><h3>This number is withheld</h3>"))
}

@Test func whatIsNoFigureOrImageIsRefused() {
  var report = HTMLReport(title: "t")
  #expect(throws: InputError.self) { try report.figure(svg: "<svg><script>x</script></svg>", caption: "c") }
  #expect(throws: InputError.self) { try report.figure(svg: "hello", caption: "c") }
  #expect(throws: InputError.self) { try report.images([(Data("GIF89a".utf8), "g")], caption: "c") }
}

@Test func identifiersOfTwoFiguresDoNotMeet() throws {
  var report = HTMLReport(title: "t")
  let svg = "<svg><circle id='a'/><use xlink:href='#a'/><g clip-path=\"url(#a)\"></g></svg>"
  try report.figure(svg: svg, caption: "1")
  try report.figure(svg: svg, caption: "2")
  for own in ["f1-a", "f2-a"] {
    #expect(
      report.html.contains("id='\(own)'") && report.html.contains("href='#\(own)'") && report.html.contains("url(#\(own))"))
  }
}

@Test func textTablesAlign() {
  var table = Table([.init("checkpoint"), .init("n", .right), .init("score", .right)])
  table.append(["flip", .integer(240), .measured(0.873, error: 0.021, digits: 3)])
  table.append(["a longer\nname\u{1B}[2J", .integer(7), .missing])
  let lines = TextTable(table).description.split(separator: "\n").map(String.init)
  #expect(lines.count == 4 && lines[2].hasPrefix("flip ") && lines[2].hasSuffix("240  0.873 ± 0.021"))
  #expect(lines[3].hasSuffix("7              –") && lines[3].count == lines[2].count && !lines[3].contains("\u{1B}"))
}

@Test func whyANumberIsWithheldStandsBelowTheTable() {
  var table = Table([.init("task"), .init("score", .right)])
  for (task, reason) in [("a", "leak"), ("b", "one run"), ("c", "leak")] { table.append([.text(task), .withheld(reason)]) }
  let lines = TextTable(table).description.split(separator: "\n").map(String.init)
  #expect(
    lines.dropFirst(2) == [
      "a     withheld [1]", "b     withheld [2]", "c     withheld [1]", "[1] withheld: leak", "[2] withheld: one run",
    ])
}

@Test func tooWideTextTablesShortenWordsNotNumbers() {
  var table = Table([.init("checkpoint"), .init("score", .right)])
  table.append(["a checkpoint with a very long name indeed", .number(0.123456, digits: 6)])
  let lines = TextTable(table, width: 30).description.split(separator: "\n")
  #expect(lines.allSatisfy { $0.count <= 30 } && lines[2].contains("…") && lines[2].hasSuffix("0.123456"))
}
