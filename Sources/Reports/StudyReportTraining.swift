import Evaluation
import Foundation
import Tensors
import Training

extension StudyReport {
  func addTraining(to report: inout HTMLReport, _ gnuplot: Gnuplot) throws {
    report.heading("Training")
    let families = ordered(runs.map(\.family))
    let withheld = Set(families.filter { familyAudit($0).standing == .withheld })
    func curves(leavingOut hidden: Set<String> = [], _ value: (RunFolder.Metric) -> Double) -> [LineChart.Series] {
      var series: [LineChart.Series] = []
      for (colour, family) in families.enumerated() where !hidden.contains(family) {
        for split in ["train", "validation"] {
          var isFirst = true
          for run in runs where run.family == family {
            let points = StudyReport.thinned(run.metrics.filter { $0.split == split })
            guard !points.isEmpty else { continue }
            let name = "\(title(of: family)), \(split == "train" ? "training" : split)"
            series.append(
              .init(
                isFirst ? name : "", x: points.map { Double($0.step) }, y: points.map(value),
                style: .init(colour: colour, isDashed: split == "train")))
            isFirst = false
          }
        }
      }
      return series
    }
    let loss = try gnuplot.svg(
      LineChart("Loss", x: Axis("step", unit: "batches"), y: Axis("mean loss", unit: "nats"), series: curves(\.loss)))
    // What is withheld is not drawn either.
    let shares = curves(leavingOut: withheld, \.accuracy)
    let accuracy = shares.isEmpty ? [] : [
      try gnuplot.svg(
        LineChart("Accuracy in the own task", x: Axis("step", unit: "batches"), y: Axis("share right", range: 0...1.02), series: shares))
    ]
    try report.figures(
      svgs: [loss] + accuracy,
      caption: "A colour a family, a thin line a seed; solid is validation (all its pictures), dashed is training (augmented batches since "
        + "the last look). Look for a gap that opens between the two: the network then learns its training pictures by heart. "
        + "Different tasks have different chance levels."
        + (withheld.isEmpty ? "" : " Without the accuracy of \(families.filter(withheld.contains).joined(separator: ", ")), which is withheld."))
    report.table(
      trainingTable, caption: "Each training in numbers. Accuracies are of the own task, ± binomial standard error; speed is the median over looks.")
  }

  private var trainingTable: Table {
    var table = Table([
      .init("family"), .init("task"), .init("backbone"), .init("seed", .right), .init("steps × batch", .right),
      .init("train accuracy", .right), .init("validation accuracy", .right), .init("train images/s", .right),
    ])
    func cell(_ metric: RunFolder.Metric?) -> Table.Cell {
      guard let metric else { return .missing }
      // Training counts each augmented view. Several looks at a picture are no more independent answers than pictures.
      let count = min(metric.count, metric.pictures ?? metric.count)
      let score = Score.accuracy(right: min(count, Int((metric.accuracy * Double(count)).rounded())), of: count)
      return .detailed(.measured(metric.accuracy, error: score.standardError, digits: 3), "n = \(count), step \(metric.step)")
    }
    for family in ordered(runs.map(\.family)) {
      let audit = familyAudit(family)
      func shown(_ metric: RunFolder.Metric?) -> Table.Cell { audit.standing == .withheld ? .withheld(audit.reasons[0]) : cell(metric) }
      for run in runs.filter({ $0.family == family }).sorted(by: { $0.recipe.seed < $1.recipe.seed }) {
        let speeds = run.metrics.filter { $0.split == "train" && $0.imagesPerSecond.isFinite }.map(\.imagesPerSecond)
        table.append([
          .text(title(of: family)), .text(run.recipe.task.name), .detailed(.text(run.recipe.backbone.name), run.recipe.precision.rawValue),
          .text("\(run.recipe.seed)"), .text("\(run.recipe.steps) × \(run.recipe.batch)"),
          shown(run.metrics.last { $0.split == "train" }), shown(run.metrics.last { $0.split == "validation" }),
          speeds.isEmpty ? .missing : .number(Statistics.median(speeds), digits: 0),
        ])
      }
    }
    return table
  }

  /// At most about 400 points, the last among them: more cannot be seen.
  private static func thinned(_ metrics: [RunFolder.Metric]) -> [RunFolder.Metric] {
    let step = max(1, metrics.count / 400)
    return metrics.indices.filter { $0 % step == 0 || $0 == metrics.count - 1 }.map { metrics[$0] }
  }
}
