import Tensors

/// A part of the training examples kept aside to choose a setting; never a part of the test.
package struct ValidationSplit: Sendable, Equatable {
  package let fitting: [Int]
  package let validating: [Int]
  /// What a reader has to know, where the parts are not what one would wish.
  package let note: String?

  /// How many orders of the groups are tried.
  private static let trials: UInt64 = 64

  /// With several groups, whole groups are drawn until they hold `share` of the examples; of 64 draws the first whose two
  /// parts both hold every class is taken, else the first whose fitting part does. Where no draw does (a class lives in
  /// one group only), or where there is one group, the share is drawn within each class, and `note` says so in the former case.
  /// Throws `ProbeError.tooFew` when a class has fewer than two examples and no group split exists.
  package init(of examples: Embeddings, share: Double, seed: UInt64) throws(ProbeError) {
    let classes = Set(examples.labels), groups = Set(examples.groups).sorted()
    let members = Dictionary(grouping: examples.labels.indices) { examples.groups[$0] }
    var second: ([Int], [Int])?
    for trial in 0..<(groups.count > 1 ? ValidationSplit.trials : 0) {
      var random = Philox(seed: seed, trial).keyed("validation groups")
      var taken: Set<Int> = [], size = 0
      for group in groups.shuffled(using: &random).dropLast() where Double(size) < share * Double(examples.count) {
        taken.insert(group)
        size += members[group, default: []].count
      }
      let validating = examples.labels.indices.filter { taken.contains(examples.groups[$0]) }
      let fitting = examples.labels.indices.filter { !taken.contains(examples.groups[$0]) }
      guard Set(fitting.map { examples.labels[$0] }) == classes else { continue }
      if Set(validating.map { examples.labels[$0] }) == classes {
        self.init(fitting: fitting, validating: validating, note: nil)
        return
      }
      if second == nil { second = (fitting, validating) }
    }
    if let second {
      self.init(
        fitting: second.0, validating: second.1,
        note: "the L2 strength was chosen on runs that do not hold every class")
      return
    }
    var random = Philox(seed: seed).keyed("validation examples")
    var taken: Set<Int> = []
    for label in classes.sorted() {
      let own = examples.labels.indices.filter { examples.labels[$0] == label }.shuffled(using: &random)
      guard own.count > 1 else {
        throw .tooFew(part: "train (class \(examples.classes[label]))", count: own.count, needed: 2)
      }
      taken.formUnion(own.prefix(min(own.count - 1, max(1, Int((share * Double(own.count)).rounded())))))
    }
    self.init(
      fitting: examples.labels.indices.filter { !taken.contains($0) }, validating: taken.sorted(),
      note: groups.count > 1
        ? "the L2 strength was chosen within runs: a class lives in one run only, so no run-disjoint split exists" : nil)
  }

  private init(fitting: [Int], validating: [Int], note: String?) {
    self.fitting = fitting
    self.validating = validating
    self.note = note
  }
}
