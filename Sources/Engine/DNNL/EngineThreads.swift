import CDNNL

/// How many processor cores the engine uses.
public enum EngineThreads {
  /// Cores used by plans that are made and run on the calling thread; all of them unless `use` was called on it.
  public static var count: Int { Int(omp_get_max_threads()) }

  /// Sets the number for the calling thread, before its plans are made.
  ///
  /// Several trainings side by side are faster with one core each than one after the other with all: steps of a small network
  /// are short, and cores that wait for each other at the end of every convolution are lost, the more so when anything
  /// else runs. Results depend on the number in their last bits.
  public static func use(_ count: Int) {
    precondition(count > 0, "\(count) threads")
    omp_set_num_threads(Int32(count))
  }
}
