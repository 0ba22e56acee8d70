import Foundation

extension TaskAudit {
  /// The report for a terminal; `isWithheld` also where another seed's audit withholds the accuracy of all.
  public func text(withholding isWithheld: Bool) -> String {
    var text = "\(run): \(task) on \(corpus), \(split), \(step) steps, seed \(seed)\n"
    text += isWithheld ? "accuracy WITHHELD\n" : "\(headline.metric) \(headline), 95 % \(headlineInterval.description)" + (parts == nil ? ", chance \(decimals(headline.chance ?? 0))\n" : "\n")
    for part in isWithheld ? [] : parts ?? [] {
      text += "  \(part.name): \(part.headline.metric) \(part.headline), chance \(decimals(part.headline.chance ?? 0))\n"
    }
    text += "\ncontrols, \(examples) examples each" + "\n"
    let width = findings.map(\.name.count).max() ?? 0
    for finding in shown(withholding: isWithheld) {
      let name = finding.name + String(repeating: " ", count: width - finding.name.count)
      let score = finding.score.map { score in "\(decimals(score.value)) [\(finding.interval?.description ?? "")]  " } ?? ""
      text += "  \(name)  \(finding.verdict == .leak ? "LEAK" : finding.verdict.rawValue): \(score)\(finding.statement)\n"
    }
    text += "\n" + commutation.text
    for remedy in remedies { text += "\nremedy, \(remedy.rawValue): \(remedy.advice)" }
    if self.isWithheld, remedies.isEmpty { text += "\nremedy: none that the program knows" }
    return text
  }
}

extension CommutationTable {
  /// The table for a terminal.
  public var text: String {
    var text = "steps: residual |J(Fx) − F(Jx)| over noise, as a share of the difference of unrelated pictures\n"
    for row in rows {
      let worst = row.worst
      text += String(format: "  %.5f  ", worst?.relative ?? 0) + "\(row.source.isEmpty ? "" : row.source + ": ")\(row.step): "
      text += (row.verdict == .fails ? "FAILS" : row.verdict.rawValue)
      if let worst, !worst.commutes {
        text += ", worst \(worst.symmetry) at \(worst.height)×\(worst.width)"
        if let glide = worst.relativeGlide { text += String(format: ", %.5f with shifts", glide) }
      }
      text += (row.reason.map { ", \($0)" } ?? "") + "\n"
    }
    return text
  }
}
