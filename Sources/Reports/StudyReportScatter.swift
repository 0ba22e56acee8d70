import Foundation
import Tensors

/// Does a trunk that is better at its own task carry farther? One point a family.
extension StudyReport {
  /// What a family reaches in its own task beside what its features are worth for other questions.
  public struct OwnAgainstTransfer: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
      case pretext = "pretext"
      case contrastive = "contrastive baseline"
      case fewFrames = "one frame or a handful"
    }

    public let family: String
    public let kind: Kind
    /// (accuracy − chance)/(1 − chance) on the validation runs at the end, mean over seeds: tasks of different chance compare.
    public let own: Double
    /// The standard error over seeds; `nil` with one seed.
    public let ownError: Double?
    /// Of the gap between random-init and supervised features, mean over the downstream tasks that have one.
    public let share: Double
    /// The mean of the tasks' errors, which is as large as the mean's error can be: tasks share seeds, runs and frames.
    public let shareError: Double
    public let tasks: Int
    /// Whether the audits of its runs let its accuracy stand.
    public let stands: Bool
  }

  /// Every pretext family that was judged and whose own accuracy is known and not withheld, in the order of the page.
  public var ownAgainstTransfer: [OwnAgainstTransfer] {
    let worths = worths
    return ordered(worths.map(\.family)).filter { role(of: $0) == .pretext }.compactMap { family in
      let own = runs.filter { $0.family == family }, accuracies = ownAccuracies(family), audit = familyAudit(family)
      let judged = worths.filter { $0.family == family }
      let shares = judged.compactMap(\.share), errors = judged.compactMap(\.shareError)
      // One with settings of its own among its seeds has no one chance.
      guard audit.standing != .withheld, !shares.isEmpty, !accuracies.isEmpty, Set(own.map(\.chance)).count == 1,
        let chance = own[0].chance, chance < 1
      else { return nil }
      return OwnAgainstTransfer(
        family: family, kind: own.contains(where: \.isOfFewFrames) ? .fewFrames : isContrastive(family) ? .contrastive : .pretext,
        own: (Statistics.mean(accuracies) - chance) / (1 - chance),
        ownError: accuracies.count > 1 ? Statistics.standardError(accuracies) / (1 - chance) : nil, share: Statistics.mean(shares),
        shareError: Statistics.mean(errors), tasks: shares.count, stands: audit.standing == .stands)
    }
  }

  /// What the figure shows in one number, and which families are not in it; empty where no family closes any part of a gap.
  public var ownAgainstTransferSentences: [String] {
    let points = ownAgainstTransfer
    let judged = ordered(worths.filter { $0.share != nil }.map(\.family)).filter { role(of: $0) == .pretext }
    guard !judged.isEmpty else { return [] }
    var lines: [String] = []
    let rho = Statistics.rankCorrelation(points.map(\.own), points.map(\.share))
    if points.count < 4 {
      lines.append("No rank correlation: it takes 4 families or more.")
    } else if rho.isFinite {
      lines.append(
        "Spearman's rank correlation of own accuracy and gap closed: \(rho < 0 ? "−" : "")\(decimal(abs(rho), 2)) (n = \(points.count) families; "
          + "where nothing ties the two together it scatters about 0 by \(decimal(1 / Double(points.count - 1).squareRoot(), 2))).")
    }
    let withheld = judged.filter { familyAudit($0).standing == .withheld }
    if !withheld.isEmpty {
      lines.append(
        "\(withheld.count) of \(judged.count) families \(withheld.count == 1 ? "is" : "are") left out, since a control of the audit is answered and the accuracy is "
          + "withheld: \(withheld.joined(separator: ", ")).")
    }
    let unknown = judged.filter { family in !withheld.contains(family) && !points.contains { $0.family == family } }
    if !unknown.isEmpty {
      lines.append("Without an accuracy of its own that can be set against chance: \(unknown.joined(separator: ", ")).")
    }
    return lines
  }

  func addOwnAgainstTransfer(to report: inout HTMLReport, _ gnuplot: Gnuplot) throws {
    let points = ownAgainstTransfer, sentences = ownAgainstTransferSentences
    guard points.count > 1 else {
      if !sentences.isEmpty {
        report.note(
          "Own accuracy against transfer is not drawn: it takes two families. " + sentences.dropFirst().joined(separator: " "))
      }
      return
    }
    let chart = ScatterChart(
      "Own task against transfer", x: Axis("own task: (accuracy − chance) / (1 − chance)"),
      y: Axis("gap to supervised closed", unit: "%"),
      series: OwnAgainstTransfer.Kind.allCases.map { kind in
        .init(
          kind.rawValue,
          points.filter { $0.kind == kind }.map {
            .init(
              $0.family, x: $0.own, y: 100 * $0.share, xError: $0.ownError ?? 0, yError: 100 * $0.shareError, isHollow: !$0.stands)
          })
      }, reference: ("random-init features", 0))
    let tasks = Set(points.map(\.tasks)).sorted().map { "\($0)" }.joined(separator: " or ")
    try report.figure(
      svg: gnuplot.svg(chart),
      caption:
        "A family a point. Across: accuracy in its own task on the validation runs at the end, from chance (0) to all right (1), ± one standard error over seeds. "
        + "Along: the share of the gap between random-init features and supervised ones that its features close, mean over \(tasks) downstream tasks; the bar is the mean of their "
        + "standard errors, the most that the mean's can be, since tasks share seeds, runs and frames. Filled: the accuracy stands by its audits; "
        + "hollow: it is not shown to be content, or was not audited. " + sentences.joined(separator: " "))
  }
}
