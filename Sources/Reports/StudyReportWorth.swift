import Evaluation
import Foundation
import Pretexts
import Tensors
import Training

/// What each family is worth on the scale from random-init features (0) to a trunk trained on every label of the task (1).
extension StudyReport {
  /// One family on one task.
  public struct Worth: Sendable {
    public let task: String
    public let family: String
    /// At the stage that validation chose.
    public let row: TransferProtocol.Row
    /// (score − random)/(supervised − random); `nil` where the supervised trunk is not clearly above random, so that there is no gap.
    public let share: Double?
    /// Of the share, from the errors of both differences.
    public let shareError: Double?
  }

  /// The baselines of the field, contrastive and kindred: they ask which views show one picture.
  private static let contrastive = [SimCLR.name, VICReg.name, SimSiam.name, Prototypes.name]

  public func isContrastive(_ family: String) -> Bool {
    runs.contains { $0.family == family && StudyReport.contrastive.contains($0.recipe.task.name) }
  }

  /// The trunk that was trained on every label of `task`: the family whose recipe asks for that label.
  public func supervisedFamily(of task: String) -> String? {
    let label = DownstreamTaskCatalog.named(task)?.label ?? task
    return runs.first { $0.label == label }?.family
  }

  /// Every family on every task of the transfer, by the linear probe.
  public var worths: [Worth] {
    findings.flatMap { finding -> [Worth] in
      let random = finding.rows.first { role(of: $0.family) == .random }
      let top = supervisedFamily(of: finding.task).flatMap { finding.comparison($0) }
      return finding.rows.map { row in
        guard random != nil, let top, top.beatsRandom, let own = finding.comparison(row.family) else {
          return Worth(task: finding.task, family: row.family, row: row, share: nil, shareError: nil)
        }
        let share = own.difference / top.difference
        // σ² of a ratio of two independent differences; both hold random's error, so for shares above 0 this is on the large side.
        let error = (own.error * own.error + share * share * top.error * top.error).squareRoot() / top.difference
        return Worth(task: finding.task, family: row.family, row: row, share: share, shareError: error)
      }
    }
  }

  /// What the study says in sentences: how much of the gap the best pretext closes, and whether it beats the contrastive baselines. "Best"
  /// is what validation calls best, so the test runs are not searched.
  public var worthSentences: [String] {
    guard !worths.isEmpty else { return [] }
    var lines: [String] = [], ahead = 0, better = 0, worse = 0, compared = 0
    for finding in findings {
      let rows = finding.rows.filter { role(of: $0.family) == .pretext }
      func best(_ rows: [TransferProtocol.Row]) -> TransferProtocol.Row? { rows.max { $0.validation.value < $1.validation.value } }
      guard let own = best(rows.filter { !isContrastive($0.family) }) else { continue }
      var line = "\(finding.task): best pretext by validation \(own.family), \(own.test)"
      if let worth = worths.first(where: { $0.task == finding.task && $0.family == own.family }), let share = worth.share, let error = worth.shareError {
        line += String(format: "; it closes %.0f ± %.0f %% of the gap between random-init and supervised features", 100 * share, 100 * error)
      } else if supervisedFamily(of: finding.task) != nil, finding.rows.contains(where: { role(of: $0.family) == .random }) {
        line += "; the supervised trunk is not clearly above random-init features, so there is no gap to close"
      }
      if let other = best(rows.filter { isContrastive($0.family) }) {
        compared += 1
        let difference = Comparison(own, role: .pretext, random: other)
        if difference.difference > 0 { ahead += 1 }
        if difference.beatsRandom { better += 1 }
        if difference.isWorse { worse += 1 }
        line += "; against the best contrastive baseline by validation, \(other.family) (\(other.test)): \(difference.text)"
          + (difference.beatsRandom ? ", better" : difference.isWorse ? ", worse" : ", no difference shown")
      }
      lines.append(line + ".")
    }
    if compared > 0 {
      lines.append(
        "The best pretext scores above the best contrastive baseline in \(ahead) of \(compared) tasks; by more than twice the error, above in "
          + "\(better) and below in \(worse).")
    }
    if let overall = bestOverall {
      lines.append(
        String(
          format: "One trunk for all tasks, chosen by its mean validation score: %@, which closes %.0f %% of the gap on average over %d tasks.", overall.family,
          100 * overall.share, overall.tasks))
    }
    return lines
  }

  /// The pretext family of the best mean validation score that is no contrastive baseline, and the mean share of the gaps that it closes.
  private var bestOverall: (family: String, share: Double, tasks: Int)? {
    let findings = findings
    func mean(_ family: String) -> Double? {
      let scores = findings.compactMap { $0.row(family)?.validation.value }
      return scores.count == findings.count && !scores.isEmpty ? Statistics.mean(scores) : nil
    }
    let families = Set(findings.flatMap { $0.rows.map(\.family) }).filter { role(of: $0) == .pretext && !isContrastive($0) }
    let judged = families.sorted().compactMap { family in mean(family).map { (family, $0) } }
    guard let best = judged.max(by: { $0.1 < $1.1 })?.0 else { return nil }
    let shares = worths.filter { $0.family == best }.compactMap(\.share)
    return shares.isEmpty ? nil : (best, Statistics.mean(shares), shares.count)
  }

  /// Of each run of the family, in validation at the end.
  func ownAccuracies(_ family: String) -> [Double] {
    runs.filter { $0.family == family }.compactMap { $0.metrics.last { $0.split == "validation" }?.accuracy }
  }

  /// Accuracy in the own task at the end, as the mean over seeds with its standard error, and what the audits of its runs say of it.
  private func ownAccuracy(_ family: String) -> Table.Cell {
    let last = ownAccuracies(family)
    guard !last.isEmpty else { return .missing }
    let audit = familyAudit(family)
    guard audit.standing != .withheld else { return .withheld(audit.reasons[0]) }
    let value = last.count > 1
      ? Table.Cell.measured(Statistics.mean(last), error: Statistics.standardError(last), digits: 3) : .number(last[0], digits: 3)
    return .detailed(value, audit.standing == .notShown ? "not shown to be content" : audit.standing.rawValue)
  }

  /// Seconds of training steps of one run of the family, by what its metrics say; the mean over its seeds.
  private func trainingSeconds(_ family: String) -> Double? {
    let times = runs.filter { $0.family == family }.compactMap { run -> Double? in
      let speeds = run.metrics.filter { $0.split == "train" && $0.imagesPerSecond.isFinite && $0.imagesPerSecond > 0 }.map(\.imagesPerSecond)
      return speeds.isEmpty ? nil : Double(run.recipe.steps * run.recipe.batch) / Statistics.median(speeds)
    }
    return times.isEmpty ? nil : Statistics.mean(times)
  }

  /// A row a family: what it cost, how well it does its own task, its score in every task, and the mean share of the gaps that it closes.
  public var worthColumns: Table {
    let findings = findings, families = ordered(findings.flatMap { $0.rows.map(\.family) })
    var table = Table(
      [.init("trunk"), .init("training, s", .right), .init("own task", .right)] + findings.map { .init($0.task, .right) } + [.init("gap closed", .right)])
    for family in families {
      var cells: [Table.Cell] = [
        .text(isContrastive(family) ? "\(family) (contrastive)" : title(of: family)),
        trainingSeconds(family).map { .number($0, digits: 0) } ?? .missing,
        ownAccuracy(family),
      ]
      for finding in findings {
        guard let row = finding.row(family) else {
          cells.append(.missing)
          continue
        }
        let value = Table.Cell.measured(row.test.value, error: row.test.largerStandardError, digits: 3)
        cells.append(.detailed(finding.comparison(family)?.beatsRandom == true ? .emphasized(value) : value, row.stage))
      }
      let shares = worths.filter { $0.family == family }.compactMap(\.share)
      cells.append(shares.isEmpty || role(of: family) == .supervised ? .missing : .detailed(.text(String(format: "%.0f %%", 100 * Statistics.mean(shares))), "\(shares.count) tasks"))
      table.append(cells)
    }
    return table
  }

  public func worthTable(width: Int? = nil) -> TextTable {
    TextTable(worthColumns, width: width, remarks: ["* above random by more than twice the error of the difference"] + worthSentences)
  }

  func addWorth(to report: inout HTMLReport, _ gnuplot: Gnuplot) throws {
    report.heading("What the trunks are worth")
    report.list(worthSentences)
    report.table(
      worthColumns,
      caption: "Balanced accuracy of the linear probe on the test runs, ± the larger of the standard errors over seeds and over test frames, at the stage "
        + "that validation chose. Own task: accuracy on the validation runs at the end; its chance level differs from task to task; whether it is content, the audits below say. "
        + "Training: seconds of steps of one run by the clock, with whatever else the machine did. Gap closed: mean over the tasks of (score − random)/(supervised − random), where supervised is the "
        + "trunk that was trained on every label of that task. Bold: above random by more than twice the error of the "
        + "run-by-run difference; of a hundred such comparisons two would be bold by luck alone.")
    try addOwnAgainstTransfer(to: &report, gnuplot)
    for curve in curves {
      var svgs: [String] = []
      for finding in findings {
        let chart = stageChart(curve.name, curve.families, finding.task)
        if !chart.series.isEmpty { svgs.append(try gnuplot.svg(chart)) }
      }
      guard !svgs.isEmpty else { continue }
      try report.figures(
        svgs: svgs,
        caption: "\(curve.name): each family's linear probe stage by stage, with a band of one standard error. Where lines lie on each other, "
          + "more pictures to train on have added nothing.")
    }
  }

  private func stageChart(_ name: String, _ families: [String], _ task: String) -> LineChart {
    let rows = transfer?.rows.filter { $0.task == task && $0.probe == LinearProbe.name } ?? []
    let stages = Set(rows.map(\.stage)).sorted(by: TransferProtocol.isShallower)
    let drawn = families + (supervisedFamily(of: task).map { [$0] } ?? []).filter { !families.contains($0) }
    let series = drawn.compactMap { family -> LineChart.Series? in
      let own = stages.compactMap { stage in rows.first { $0.family == family && $0.stage == stage } }
      guard own.count == stages.count else { return nil }
      return .init(
        family, x: stages.indices.map { Double($0 + 1) }, y: own.map(\.test.value), error: own.map(\.test.largerStandardError))
    }
    var chart = LineChart(
      "\(task): \(name)", x: Axis("stage", range: 1...Double(max(2, stages.count))), y: Axis("balanced accuracy"), series: series)
    chart.size = (560, 400)
    return chart
  }
}
