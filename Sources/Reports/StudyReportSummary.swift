import Cues
import Evaluation

extension StudyReport {
  /// One sentence a source whose flip accuracy may not be quoted.
  public var withheldLines: [String] {
    cues.flatMap { report in
      report.sources.filter(\.isWithheld).map { "\(report.run) on \($0.name): flip accuracy WITHHELD. \($0.verdict)" }
    }
  }

  /// The result in one sentence, counted from the findings.
  public var headline: String {
    let findings = findings
    guard !findings.isEmpty else {
      return transfer == nil ? "No transfer was judged." : "No downstream task could be judged by a linear probe."
    }
    let judged = findings.filter { $0.comparisons.contains { $0.role == .pretext } }
    guard !judged.isEmpty else { return "No pretext trunk was judged beside random-init features." }
    let won = judged.filter { $0.comparisons.contains { $0.role == .pretext && $0.beatsRandom } }
    let lost = judged.filter { $0.comparisons.contains { $0.role == .pretext && $0.isWorse } }
    var text: String
    if won.isEmpty {
      text = "In none of \(judged.count) downstream \(judged.count == 1 ? "task" : "tasks") does a pretext trunk beat random-init features"
    } else {
      text = "Pretext training beats random-init features in \(won.count) of \(judged.count) downstream tasks (\(won.map(\.task).joined(separator: ", ")))"
    }
    if !lost.isEmpty { text += "; a pretext trunk is worse than random in \(lost.map(\.task).joined(separator: ", "))" }
    return text + "."
  }

  /// - Parameter inFull: with a table of all families and what is to be said of each; a study of many families has a table of its own.
  func addSummary(to report: inout HTMLReport, inFull: Bool) {
    report.heading("Summary")
    report.paragraph(headline)
    for note in notes { report.note(note) }
    let findings = findings
    if inFull, !findings.isEmpty {
      report.table(headlineTable(findings), caption: headlineCaption(findings))
      report.list(findings.map(\.sentence))
    }
    if let transfer, !transfer.leftOut.isEmpty {
      report.note(
        "Not asked: " + transfer.leftOut.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: "; ") + ".")
    }
    for cue in cues {
      for source in cue.sources where source.isWithheld {
        report.warning("Flip accuracy withheld: \(cue.run) on \(source.name)", source.verdict)
      }
    }
  }

  private func headlineTable(_ findings: [Finding]) -> Table {
    let families = ordered(findings.flatMap { $0.rows.map(\.family) })
    var table = Table(
      [.init("task")] + families.map { .init(title(of: $0), .right) } + [.init("chance", .right), .init("n test", .right)])
    for finding in findings {
      var cells: [Table.Cell] = [.text(finding.task)]
      for family in families {
        guard let row = finding.row(family) else {
          cells.append(.missing)
          continue
        }
        let value = Table.Cell.measured(row.test.value, error: row.test.largerStandardError, digits: 3)
        let run = row.run.map { "run \(decimal($0.value, 3)) ± \(decimal($0.largerStandardError, 3))" } ?? "run: one only"
        cells.append(
          .detailed(
            .detailed(finding.comparison(family)?.beatsRandom == true ? .emphasized(value) : value, "\(row.stage), \(seeds(row.test))"), run))
      }
      let runChances = span(finding.rows.compactMap { $0.run?.chance }.map { decimal($0, 3) })
      cells.append(.detailed(.text(span(finding.rows.compactMap { $0.test.chance }.map { decimal($0, 3) })), "run \(runChances)"))
      cells.append(.text(span(finding.rows.map { "\($0.test.count)" })))
      table.append(cells)
    }
    return table
  }

  private func headlineCaption(_ findings: [Finding]) -> String {
    let comparisons = findings.flatMap(\.comparisons).count
    return "Balanced accuracy of a linear probe on frozen features, on test runs that neither probe nor stage choice has seen, ± the larger "
      + "of the standard errors over seeds and over test frames. Below: the stage that validation chose, the seeds, and the control “predict "
      + "the run” by the same features. Bold: above random by more than twice the combined error"
      + (comparisons > 0
        ? "; of \(comparisons) \(comparisons == 1 ? "comparison" : "comparisons"), \(decimal(0.0228 * Double(comparisons), 1)) would be bold by luck alone." : ".")
  }

  /// A family with its role, where the name does not say it.
  func title(of family: String) -> String {
    let role = role(of: family)
    return role == .supervised && family != "supervised" ? "\(family) (supervised)" : family
  }

  func seeds(_ score: Score) -> String {
    guard let seeds = score.seeds, !seeds.isEmpty else { return "no seed" }
    return "\(seeds.count) \(seeds.count == 1 ? "seed" : "seeds")"
  }

  /// Each value once; a dash for none.
  private func span(_ values: [String]) -> String {
    let different = Set(values).sorted()
    return different.isEmpty ? "–" : different.joined(separator: ", ")
  }

  /// The headline for a terminal of `width` columns: a row a task and family, then the sentences.
  public func terminalTable(width: Int? = nil) -> TextTable {
    var table = Table([
      .init("task"), .init("trunk"), .init("stage"), .init("balanced accuracy", .right), .init("against random", .right),
      .init("chance", .right), .init("n", .right), .init("seeds", .right), .init("predict the run", .right),
    ])
    let findings = findings
    for finding in findings {
      for row in finding.rows {
        let comparison = finding.comparison(row.family)
        let value = Table.Cell.measured(row.test.value, error: row.test.largerStandardError, digits: 3)
        table.append([
          .text(finding.task), .text(row.family), .text(row.stage), comparison?.beatsRandom == true ? .emphasized(value) : value,
          comparison.map { .text($0.text) } ?? .missing, row.test.chance.map { .number($0, digits: 3) } ?? .missing,
          .integer(row.test.count), row.test.seeds.map { .integer($0.count) } ?? .missing,
          row.run.map { .measured($0.value, error: $0.largerStandardError, digits: 3) } ?? .missing,
        ])
      }
    }
    let star = findings.contains { $0.comparisons.contains(where: \.beatsRandom) } ? ["* above random by more than twice the combined error"] : []
    return TextTable(table, width: width, remarks: star + [headline] + findings.map(\.sentence) + withheldLines)
  }
}
