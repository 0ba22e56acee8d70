import Evaluation
import Foundation

extension StudyReport {
  func addTransfer(_ transfer: TransferProtocol.Result, to report: inout HTMLReport, _ gnuplot: Gnuplot) throws {
    report.heading("Transfer: what the frozen features lay open")
    var tasks: [String] = []
    for row in transfer.rows where !tasks.contains(row.task) { tasks.append(row.task) }
    for task in tasks {
      let rows = transfer.rows.filter { $0.task == task }, families = ordered(rows.map(\.family))
      let probes = Set(rows.map(\.probe)).sorted()
      report.heading(heading(of: task), level: 3)
      func chosen(_ family: String, _ probe: String) -> TransferProtocol.Row? {
        rows.first { $0.isChosen && $0.family == family && $0.probe == probe }
      }
      // A chance level only where all rows share it.
      let chances = Set(rows.map(\.test.chance)), chance = chances.count == 1 ? chances.first ?? nil : nil
      let drawn = families.filter { family in probes.allSatisfy { chosen(family, $0) != nil } }
      if !drawn.isEmpty {
        var chart = BarChart(
          "\(task): balanced accuracy on the test runs", groups: drawn.map { title(of: $0) },
          y: Axis("balanced accuracy", range: 0...1.05),
          series: probes.map { probe in
            .init(
              probe, drawn.map { family in chosen(family, probe).map { .init($0.test.value, error: $0.test.largerStandardError) } })
          }, reference: chance.map { ("chance \(decimal($0, 3))", $0) })
        chart.size = (760, 360)
        try report.figure(
          svg: gnuplot.svg(chart),
          caption: "Each trunk at the stage that validation chose, by probe; bars are one standard error (the larger of over seeds and over "
            + "test frames). Look whether a trained trunk stands clear of random by more than both bars.")
      }
      report.table(
        chosenTable(rows, families: families, probes: probes, baselines: (transfer.baselines ?? []).filter { $0.task == task }),
        caption: "Chosen stages of both probes. “Predict the run” asks the same features for the run of frames whose runs they have seen: far above "
          + "its chance, features know the run, and could use it. An instrument is a classical analysis of the whole frame, without training.")
      report.details("All stages and probes of \(task)") { report in
        report.table(
          stageTable(rows, families: families, probes: probes),
          caption: "Balanced accuracy on the test runs, n = \(Set(rows.map { "\($0.test.count)" }).sorted().joined(separator: ", ")). "
            + "Only the chosen stage may be quoted: picking the best of a row after the fact would flatter it.")
      }
    }
  }

  private func heading(of task: String) -> String {
    DownstreamTaskCatalog.named(task).map { "\(task): \($0.question)" } ?? task
  }

  private func chosenTable(_ rows: [TransferProtocol.Row], families: [String], probes: [String], baselines: [InstrumentBaseline]) -> Table {
    var table = Table([
      .init("trunk"), .init("probe"), .init("stage"), .init("test", .right), .init("against random", .right),
      .init("validation", .right), .init("predict the run", .right), .init("n", .right), .init("seeds", .right),
    ])
    for family in families {
      for probe in probes {
        guard let row = rows.first(where: { $0.isChosen && $0.family == family && $0.probe == probe }) else { continue }
        let random = rows.first { $0.isChosen && $0.probe == probe && role(of: $0.family) == .random && $0.family != family }
        let comparison = random.map { Comparison(row, role: role(of: family), random: $0) }
        func cell(_ score: Score) -> Table.Cell { .measured(score.value, error: score.largerStandardError, digits: 3) }
        let test = comparison?.beatsRandom == true ? Table.Cell.emphasized(cell(row.test)) : cell(row.test)
        table.append([
          .text(title(of: family)), .text(probe), .text(row.stage),
          row.test.notes.isEmpty ? test : .detailed(test, row.test.notes.joined(separator: "; ")),
          comparison.map { .text($0.text) } ?? .missing, .detailed(cell(row.validation), "n = \(row.validation.count)"),
          row.run.map { .detailed(cell($0), "n = \($0.count), chance \($0.chance.map { decimal($0, 3) } ?? "–")") } ?? .text("one run only"),
          .integer(row.test.count), row.test.seeds.map { .integer($0.count) } ?? .missing,
        ])
      }
    }
    for baseline in baselines {
      let cell = Table.Cell.measured(baseline.test.value, error: baseline.test.largerStandardError, digits: 3)
      table.append([
        .text("instrument \(baseline.instrument)"), .text("none"), .missing,
        baseline.test.notes.isEmpty ? cell : .detailed(cell, baseline.test.notes.joined(separator: "; ")), .missing, .missing, .missing,
        .integer(baseline.test.count), .missing,
      ])
    }
    return table
  }

  private func stageTable(_ rows: [TransferProtocol.Row], families: [String], probes: [String]) -> Table {
    var table = Table([.init("probe"), .init("stage")] + families.map { .init(title(of: $0), .right) })
    for probe in probes {
      for stage in Set(rows.filter { $0.probe == probe }.map(\.stage)).sorted() {
        let cells = families.map { family -> Table.Cell in
          guard let row = rows.first(where: { $0.family == family && $0.probe == probe && $0.stage == stage }) else { return .missing }
          let value = Table.Cell.measured(row.test.value, error: row.test.largerStandardError, digits: 3)
          let facts = (row.isChosen ? ["chosen"] : []) + row.test.notes
          return facts.isEmpty ? value : .detailed(value, facts.joined(separator: "; "))
        }
        table.append([.text(probe), .text(stage)] + cells)
      }
    }
    return table
  }
}
