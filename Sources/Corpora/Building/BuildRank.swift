import Host

/// Which of how many processes that build one corpus together this one is.
public struct BuildRank: Hashable, Sendable {
  /// From 0.
  public let number: Int
  public let count: Int

  public static let alone = BuildRank(0, of: 1)

  /// Traps for a number outside of `0..<count`.
  public init(_ number: Int, of count: Int) {
    precondition((0..<count).contains(number), "no rank \(number) among \(count)")
    (self.number, self.count) = (number, count)
  }

  public var isFirst: Bool { number == 0 }

  /// As the launcher of this process says: `mpirun` of Open MPI, those of MPICH, Intel MPI, Cray and MVAPICH, or `srun`. Alone
  /// where no launcher speaks. Throws where what it says makes no sense.
  ///
  /// Slurm's step variables count, not those of the job: a batch script that was given four tasks starts one process, not four.
  public init(environment: [String: String]) throws(InputError) {
    let launchers = [
      ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"), ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
      ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ]
    for (rankName, sizeName) in launchers {
      guard let rank = environment[rankName], let size = environment[sizeName] else { continue }
      guard let number = Int(rank), let count = Int(size), (0..<count).contains(number) else {
        throw InputError(
          path: "", place: "\(rankName), \(sizeName)", expected: "a rank from 0 below the number of ranks", found: "\(rank), \(size)")
      }
      self.init(number, of: count)
      return
    }
    self = .alone
  }
}
