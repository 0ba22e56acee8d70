extension Symmetry {
  /// All products of the given symmetries.
  public static func group(generatedBy generators: some Sequence<Symmetry>) -> Set<Symmetry> {
    var group: Set<Symmetry> = [.identity], pending: [Symmetry] = [.identity]
    let generators = Array(generators)
    while let element = pending.popLast() {
      for next in generators.map(element.followed) where group.insert(next).inserted { pending.append(next) }
    }
    return group
  }

  /// Whether pictures turned by different answers stay different when any symmetry of `nuisances` may act before and after.
  public static func areToldApart(_ answers: [Symmetry], under nuisances: Set<Symmetry>) -> Bool {
    let shown = answers.map { answer in
      Set(nuisances.flatMap { before in nuisances.map { before.followed(by: answer).followed(by: $0) } })
    }
    return shown.indices.allSatisfy { i in shown[..<i].allSatisfy { $0.isDisjoint(with: shown[i]) } }
  }
}
