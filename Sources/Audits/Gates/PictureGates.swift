import Corpora
import Foundation

extension Gate {
  /// No picture has a near-duplicate in another split.
  static func duplicates(_ searches: [DuplicateSearch], _ bounds: AuditBounds) -> Gate {
    let across = searches.reduce(0) { $0 + $1.acrossSplits }, pictures = searches.reduce(0) { $0 + $1.pictures }
    let within = searches.reduce(0) { $0 + $1.withinSplit }
    let findings = searches.flatMap { search in
      search.pairs.map { pair in
        "\(search.source): \(pair.first) (\(pair.firstSplit.rawValue)) and \(pair.second) (\(pair.secondSplit.rawValue)) differ by "
          + String(format: "%.2f of what noise makes", pair.ratio)
      }
    }
    var gate = Gate(
      .duplicates, across > bounds.duplicates ? .failed : .passed,
      "\(across) of \(pictures) pictures have a near-duplicate in another split (bound \(bounds.duplicates)); \(within) have one in their own.",
      findings: findings)
    gate.count = across
    return gate
  }

  /// Numbers, light and pixels: nothing broken beyond the bounds.
  static func pixels(_ scan: PictureScan, _ bounds: AuditBounds) -> Gate {
    var findings: [String] = [], nonFinite = 0, masked = 0, saturated = 0, told = 0, isTooBright = false
    for source in scan.sources {
      for (record, digest) in zip(source.records, source.digests) {
        if digest.nonFinite > 0 {
          nonFinite += 1
          findings.append("\(record.id) (\(source.name)): \(digest.nonFinite) measured pixels are no numbers")
        }
        if digest.measured == 0 {
          masked += 1
          findings.append("\(record.id) (\(source.name)): no measured pixel")
        }
      }
      let shares = source.records.compactMap(\.saturation), bright = shares.count { $0 >= bounds.saturatedPixels }
      told += shares.count
      saturated += bright
      if !shares.isEmpty, Double(bright) > bounds.saturatedPictures * Double(shares.count) {
        let share = String(format: "%.1f %%, bound %.1f %%", 100 * Double(bright) / Double(shares.count), 100 * bounds.saturatedPictures)
        isTooBright = true
        findings.insert(
          "\(source.name): \(bright) of \(shares.count) pictures (\(share)) have \(bounds.saturatedPixels) or more of their pixels at full scale", at: 0)
      }
    }
    let isBroken = isTooBright || nonFinite > bounds.nonFinitePictures || masked > bounds.allMaskedPictures
    return Gate(
      .pixels, isBroken ? .failed : .passed,
      "\(nonFinite) pictures with pixels that are no numbers (bound \(bounds.nonFinitePictures)), \(masked) without a measured pixel (bound "
        + "\(bounds.allMaskedPictures)), \(saturated) of \(told) saturated.", findings: findings)
  }

  /// No class is empty where its label is learned or tried.
  static func classes(_ corpus: Corpus, _ bounds: AuditBounds) -> Gate {
    var findings: [String] = [], count = 0
    for (label, classes) in corpus.manifest.labels.sorted(by: { $0.key < $1.key }) {
      let present = Set(classes.values.flatMap { $0.filter { $0.value > 0 }.map(\.key) })
      for (name, counts) in classes.sorted(by: { $0.key < $1.key }) {
        count += 1
        let all = counts.values.reduce(0, +)
        guard all > 0 else {
          findings.append("\(label) \(name): no picture")
          continue
        }
        for (split, least) in [(Split.train, bounds.smallestClass.train), (.validation, bounds.smallestClass.validation), (.test, bounds.smallestClass.test)]
        where present.contains(split) && counts[split, default: 0] < least {
          findings.append("\(label) \(name): \(counts[split, default: 0]) of \(all) pictures in \(split.rawValue) (least \(least))")
        }
      }
    }
    guard count > 0 else { return Gate(.classes, .notApplicable, "The corpus has no labels.") }
    return Gate(
      .classes, findings.isEmpty ? .passed : .failed,
      findings.isEmpty ? "All \(count) classes of \(corpus.manifest.labels.count) labels have pictures." : "\(findings.count) of \(count) classes lack pictures.",
      findings: findings)
  }

  /// No label is told from a side channel.
  static func cue(_ cue: Cue, _ probes: [LabelProbe], _ bounds: AuditBounds) -> Gate {
    let own = probes.filter { $0.cue == cue }
    guard !own.isEmpty else {
      return Gate(cue.gate, .notApplicable, "No label has two classes within a source, or there is one run only.")
    }
    let leaks = own.filter { $0.verdict == .failed }, open = own.filter { $0.verdict == .undecided }
    let limit = String(format: "%.2f", bounds.share(cue))
    let statement =
      leaks.isEmpty
      ? "None of \(own.count) probes tells its label (bound: \(limit) of the way from chance to certainty)"
        + (open.isEmpty ? "." : "; for \(open.count) there are too few pictures to say.")
      : "\(leaks.count) of \(own.count) probes tell their label (bound: \(limit) of the way from chance to certainty)."
    return Gate(
      cue.gate, !leaks.isEmpty ? .failed : open.isEmpty ? .passed : .undecided, statement, findings: (leaks + open).map(\.sentence))
  }
}
