import Host

/// Told how far a build has come, on the thread that builds; may throw to stop early.
public typealias BuildProgressHandler = (Host.Progress) throws(InputError) -> Void

/// Foundation has a class of this name, too.
typealias Progress = Host.Progress
